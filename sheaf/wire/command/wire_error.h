// Errors on the wire: the one exhaustive mapping of kinds to numbers, codes and JSON.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/base/core/error.h"
#include "sheaf/base/core/result.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::command {

inline constexpr size_t kErrorJsonBytesMax = 2048;

// One row of the table in the Flight contract, section 6.
struct WireCode {
  int32_t number;          // 100 … 504
  std::string_view name;   // "INVALID"
  int32_t grpc;            // gRPC status code as its number
  int32_t arrow;           // arrow::StatusCode as its number, for the x-arrow-status trailer
  std::string_view retry;  // "no" | "here" | "other" | "any"
  int32_t http;            // for the HTTP API
};
WireCode ToWire(Kind kind);

// {"code", "number", "retry", "after_ms"?, "effect", "message", "details"}: at most 2 KiB; longer
// messages are cut at a character, details that do not fit are left out. `after_ms` is taken from
// details when it is there.
std::string ErrorJson(const Error& error);
// The inverse, for clients; kInternal with the text as message when it is no such JSON.
Error ParseErrorJson(std::string_view text);

}  // namespace sheaf::command
