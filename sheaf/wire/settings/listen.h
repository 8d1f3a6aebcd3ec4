// Where a server listens: "host:port".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sheaf/base/core/result.h"

namespace sheaf::settings {

// A value. Port 0 means any free one.
struct Listen {
  std::string host = "127.0.0.1";  // A name or an address, IPv6 without brackets.
  uint16_t port = 0;

  // True when nobody outside this machine can reach it: 127.0.0.0/8, ::1, localhost.
  bool IsLoopback() const;
  std::string Text() const;  // As ParseListen reads it.
  bool operator==(const Listen&) const = default;
};

// "127.0.0.1:8815", "[::1]:0", "localhost:80", "0.0.0.0:8815"; kInvalid says the form. A host is
// always needed: nobody opens a port to the world by leaving it out.
Result<Listen> ParseListen(std::string_view text);

}  // namespace sheaf::settings

namespace sheaf {
using settings::Listen;
using settings::ParseListen;
}  // namespace sheaf
