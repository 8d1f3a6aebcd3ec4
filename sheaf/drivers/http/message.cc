#include "sheaf/drivers/http/message.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>

namespace sheaf::http {
namespace {

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

enum class Plus : uint8_t { kItself, kBlank };

Result<std::string> Decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? HexDigit(text[i + 2]) : std::nullopt;
      if (!high || !low) return Fail(Kind::kInvalid, "bad percent escape in the target");
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    } else if (c == '+' && plus == Plus::kBlank) {
      c = ' ';
    }
    if (c == '\0') return Fail(Kind::kInvalid, "NUL in the target");
    out += c;
  }
  return out;
}

Status ParseQuery(std::string_view text, std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    const size_t equals = std::min(part.find('='), part.size());
    SHEAF_ASSIGN(std::string key, Decode(part.substr(0, equals), Plus::kBlank));
    SHEAF_ASSIGN(std::string value,
                 Decode(part.substr(std::min(equals + 1, part.size())), Plus::kBlank));
    if (!query.emplace(key, std::move(value)).second) {
      return Fail(Kind::kInvalid, "query parameter '" + key + "' is given twice");
    }
  }
  return Done();
}

}  // namespace

std::string_view ReasonOf(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

Result<Target> ParseTarget(std::string_view target) {
  if (target == "*") return Target{.path = "*"};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const size_t slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
    break;
  }
  if (!target.starts_with('/')) return Fail(Kind::kInvalid, "the target does not begin with '/'");
  target = target.substr(0, target.find('#'));
  const size_t mark = std::min(target.find('?'), target.size());
  Target parsed;
  SHEAF_ASSIGN(parsed.path, Decode(target.substr(0, mark), Plus::kItself));
  SHEAF_TRY(ParseQuery(target.substr(std::min(mark + 1, target.size())), parsed.query));
  return parsed;
}

std::string HeadOf(const Response& response, Connection connection, std::string_view date) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  const auto add = [&head](std::string_view key, std::string_view value) {
    head += key;
    head += ": ";
    for (const char c : value) head += static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? ' ' : c;
    head += "\r\n";
  };
  head += ReasonOf(response.status);
  head += "\r\n";
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  // RFC 9110: these have no body, and 204 no length either.
  if (response.status >= 200 && response.status != 204 && response.status != 304) {
    add("Content-Length", std::to_string(response.body.size()));
  }
  for (const auto& [key, value] : response.headers) add(key, value);
  add("Date", date);
  if (connection == Connection::kClose) add("Connection", "close");
  return head + "\r\n";
}

std::string HttpDate(WallTime wall) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(wall.micros / 1'000'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::string(kDays[static_cast<size_t>(utc.tm_wday)]) + ", " + two(utc.tm_mday) + " " +
         kMonths[static_cast<size_t>(utc.tm_mon)] + " " + std::to_string(utc.tm_year + 1900) +
         " " + two(utc.tm_hour) + ":" + two(utc.tm_min) + ":" + two(utc.tm_sec) + " GMT";
}

}  // namespace sheaf::http
