#include "sheaf/wire/settings/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace sheaf::settings {
namespace {

constexpr size_t kHostBytesMax = 253;  // Of a DNS name.

Error Bad(std::string_view text, std::string_view why) {
  return Fail(Kind::kInvalid, "expected host:port, found '" + std::string(text.substr(0, 80)) +
                                  "' (" + std::string(why) + ")");
}

}  // namespace

bool Listen::IsLoopback() const {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
}

std::string Listen::Text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Listen> ParseListen(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return Bad(text, "no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.empty()) return Bad(text, "no host; 0.0.0.0 or [::] listens everywhere");

  Listen listen;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), listen.port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Bad(text, "a port is a number from 0 to 65535");
  }
  if (host.front() == '[') {
    if (host.back() != ']') return Bad(text, "'[' without ']'");
    listen.host = host.substr(1, host.size() - 2);
    in6_addr v6{};
    if (inet_pton(AF_INET6, listen.host.c_str(), &v6) != 1) return Bad(text, "no IPv6 address");
    return listen;
  }
  if (host.find(':') != host.npos) return Bad(text, "an IPv6 address stands in [brackets]");
  for (const char c : host) {
    const bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '-' || c == '_';
    if (!fine) return Bad(text, "no name and no address");
  }
  if (host.size() > kHostBytesMax) return Bad(text, "the name is too long");
  listen.host = host;
  return listen;
}

}  // namespace sheaf::settings
