// What is asked and what is answered over HTTP, and their pure parsing and printing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sheaf/base/async/cancel.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/time/clock.h"

namespace sheaf::http {

using Headers = std::map<std::string, std::string>;  // Keys in lower case.

struct Request {
  std::string method;   // "GET"
  std::string target;   // As it came: "/a%20b?x=1"
  std::string path;     // Decoded: "/a b"
  std::map<std::string, std::string> query;  // Decoded.
  Headers headers;      // Several of one name are joined by ", ".
  std::string body;
  std::string peer;     // "127.0.0.1:54321"
  CancelToken cancel;   // The client went away, the answer's limit passed, or the server stops.
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  Headers headers;      // Others than type, length, date and connection. All, when fetched.
  std::string body;
};

// "Not Found"; "Unknown" for a number that has no name here.
std::string_view ReasonOf(int status);

struct Target {
  std::string path;
  std::map<std::string, std::string> query;
};
// The target of a request line: origin form, absolute form or "*". kInvalid says what is wrong:
// a bad percent escape, a NUL, a query parameter given twice, no '/' at the start.
Result<Target> ParseTarget(std::string_view target);

enum class Connection : uint8_t { kKeepAlive, kClose };
// Status line and headers up to the empty line. Control characters in values become blanks.
std::string HeadOf(const Response& response, Connection connection, std::string_view date);
// "Mon, 23 Nov 2026 06:14:00 GMT" (RFC 9110, IMF-fixdate).
std::string HttpDate(WallTime wall);

}  // namespace sheaf::http
