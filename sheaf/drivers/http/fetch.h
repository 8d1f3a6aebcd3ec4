// A small blocking client, for command lines and tests.
#pragma once

#include <string>

#include "sheaf/base/core/bytes.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/time/clock.h"
#include "sheaf/drivers/http/message.h"

namespace sheaf::http {

struct FetchOptions {
  std::string method = "GET";
  Headers headers;
  std::string body;
  Duration limit = std::chrono::seconds(5);  // Of the whole, in real time.
  Bytes body_bytes_max = 64_MiB;
};

// GETs (or else) `http://host[:port]/target`; any status is an answer. kInvalid: no such URL;
// kDependency: nobody there, or no HTTP; kDeadline; kExhausted: the answer is too large.
Result<Response> Fetch(std::string_view url, FetchOptions options = {});

}  // namespace sheaf::http
