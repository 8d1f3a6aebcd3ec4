// Text on a terminal: widths, safe characters, numbers as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"

namespace sheaf::app {

// Columns that UTF-8 text takes on a terminal: wide characters two, combining ones none.
size_t Width(std::string_view text);
// Nothing that a terminal would obey: control characters, bidirectional overrides and bytes that
// are not UTF-8 become visible escapes (\n, \x1b, \u202e).
std::string Printable(std::string_view text);
// At most `width` columns; what is cut ends in '…'.
std::string Cut(std::string_view text, size_t width);

enum class Align : uint8_t { kLeft, kRight };
std::string Pad(std::string_view text, size_t width, Align align);

std::string Grouped(int64_t number);    // "1,234,567"
std::string Seconds(Duration elapsed);  // "0.031 s", "2 min 5 s"
// "90", "90s", "15m", "2h", "7d", "250ms"; kInvalid names the text and the units.
Result<Duration> ParseDuration(std::string_view text);

}  // namespace sheaf::app
