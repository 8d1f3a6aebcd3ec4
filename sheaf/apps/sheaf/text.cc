#include "sheaf/apps/sheaf/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace sheaf::app {
namespace {

struct Rune {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The character at the beginning of `text`, which is not empty.
Rune Decode(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t head = at(0);
  if (head < 0x80) return {head, 1, true};
  const size_t size = head >= 0xF0 ? 4 : head >= 0xE0 ? 3 : 2;
  if (head < 0xC2 || head > 0xF4 || text.size() < size) return {head, 1, false};
  uint32_t code = head & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return {head, 1, false};
    code = code << 6 | (at(i) & 0x3F);
  }
  constexpr std::array<uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[size] || code > 0x10FFFF || surrogate) return {head, 1, false};
  return {code, size, true};
}

struct Range {
  uint32_t first, last;
};
template <size_t N>
bool In(const std::array<Range, N>& ranges, uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](Range r) { return code >= r.first && code <= r.last; });
}

constexpr std::array<Range, 7> kNarrowest{{{0x0300, 0x036F},
                                           {0x0483, 0x0489},
                                           {0x0591, 0x05BD},
                                           {0x200B, 0x200F},
                                           {0x20D0, 0x20FF},
                                           {0xFE00, 0xFE0F},
                                           {0xFE20, 0xFE2F}}};
constexpr std::array<Range, 12> kWide{{{0x1100, 0x115F},
                                       {0x231A, 0x231B},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1F64F},
                                       {0x1F680, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};
// Controls, and marks that reorder the text after them.
constexpr std::array<Range, 6> kUnsafe{{{0x00, 0x1F},
                                        {0x7F, 0x9F},
                                        {0x2028, 0x2029},
                                        {0x202A, 0x202E},
                                        {0x2066, 0x2069},
                                        {0xFEFF, 0xFEFF}}};

size_t WidthOf(uint32_t code) { return In(kNarrowest, code) ? 0 : In(kWide, code) ? 2 : 1; }

std::string Escaped(const Rune& rune) {
  if (rune.code == '\n') return "\\n";
  if (rune.code == '\t') return "\\t";
  if (rune.code == '\r') return "\\r";
  std::array<char, 16> text{};
  const char* form = !rune.valid || rune.code < 0x100 ? "\\x%02x" : "\\u%04x";
  std::snprintf(text.data(), text.size(), form, rune.code);
  return text.data();
}

}  // namespace

size_t Width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Rune rune = Decode(text);
    width += WidthOf(rune.code);
    text.remove_prefix(rune.bytes);
  }
  return width;
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Rune rune = Decode(text);
    if (!rune.valid || In(kUnsafe, rune.code)) {
      out += Escaped(rune);
    } else {
      out += text.substr(0, rune.bytes);
    }
    text.remove_prefix(rune.bytes);
  }
  return out;
}

std::string Cut(std::string_view text, size_t width) {
  if (text.size() <= width || Width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const Rune rune = Decode(text);
    const size_t wide = WidthOf(rune.code);
    if (used + wide > width - 1) break;
    used += wide;
    out += text.substr(0, rune.bytes);
    text.remove_prefix(rune.bytes);
  }
  return out + "…";
}

std::string Pad(std::string_view text, size_t width, Align align) {
  const size_t used = Width(text);
  const std::string blanks(width > used ? width - used : 0, ' ');
  return align == Align::kLeft ? std::string(text) + blanks : blanks + std::string(text);
}

std::string Grouped(int64_t number) {
  std::string digits = std::to_string(number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string Seconds(Duration elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  std::array<char, 64> text{};
  if (seconds < 60) {
    std::snprintf(text.data(), text.size(), seconds < 10 ? "%.3f s" : "%.1f s", seconds);
  } else {
    const auto whole = static_cast<int64_t>(seconds);
    std::snprintf(text.data(), text.size(), "%lld min %lld s", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  }
  return text.data();
}

Result<Duration> ParseDuration(std::string_view text) {
  constexpr int64_t kSecondsMax = 10LL * 365 * 24 * 3600;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, text.data() + text.size());
  double seconds = -1;
  if (unit.empty() || unit == "s") seconds = number;
  if (unit == "ms") seconds = number / 1e3;
  if (unit == "m" || unit == "min") seconds = number * 60;
  if (unit == "h") seconds = number * 3600;
  if (unit == "d") seconds = number * 86400;
  if (error != std::errc() || !(seconds >= 0) || seconds > kSecondsMax) {
    return Fail(Kind::kInvalid,
                "'" + std::string(text) + "' is not a duration; write 90s, 15m, 2h, 7d or 250ms");
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace sheaf::app
