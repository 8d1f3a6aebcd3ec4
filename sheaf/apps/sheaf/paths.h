// Flight paths as people type them: "raw/orders", a '/' inside a part escaped as "\/".
#pragma once

#include <string>
#include <string_view>

#include "sheaf/wire/command/path.h"

namespace sheaf::app {

// "a/b" or ["a","b"]; the inverse of Path::Text. kInvalid says what is wrong with it.
Result<Path> ParsePath(std::string_view text);
// As ParsePath; empty text is the empty path, for prefixes.
Result<Path> ParsePrefix(std::string_view text);

}  // namespace sheaf::app
