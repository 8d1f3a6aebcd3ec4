// An Error answers three questions: what kind, could it have happened, what now.
//
// A value: copies, moves, compares by kind. `details` is JSON text of one small object, or empty.
// The list of kinds is the list of wire codes in the Flight contract, section 6; wire/command maps
// them one to one, and a kind that has no wire code cannot be written down here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sheaf::core {

enum class Kind : uint8_t {
  kInvalid,
  kUnknownService,
  kMisplaced,
  kInvalidTicket,
  kNotFound,
  kConflict,
  kUnsupported,
  kFailed,
  kCancelled,
  kDeadline,
  kResultGone,
  kPoll,
  kBackpressure,
  kExhausted,
  kUnauthenticated,
  kForbidden,
  kInternal,
  kNotReady,
  kShuttingDown,
  kDependency,
  kCorrupt,
};

// Could the failed call be visible to the next reader?
enum class Effect : uint8_t { kNone, kUnknown };

struct [[nodiscard]] Error {
  Kind kind = Kind::kInternal;
  Effect effect = Effect::kNone;
  std::string message;
  std::string details;  // JSON object as text; empty = none.

  // The same error with `where: ` before its message; for callers that know more of the place.
  Error In(std::string_view where) && {
    message = std::string(where) + ": " + message;
    return std::move(*this);
  }
};

// Makes errors read as sentences at the point of failure: `return Fail(Kind::kInvalid, "…")`.
inline Error Fail(Kind kind, std::string message) {
  return Error{kind, Effect::kNone, std::move(message), {}};
}
inline Error Fail(Kind kind, std::string message, std::string details) {
  return Error{kind, Effect::kNone, std::move(message), std::move(details)};
}

// Stable lower-case name for logs: "not_found".
std::string_view KindName(Kind kind) noexcept;

}  // namespace sheaf::core

namespace sheaf {
using core::Effect;
using core::Error;
using core::Fail;
using core::Kind;
}  // namespace sheaf
