// Byte sizes that say their unit, and read and print as people write them ("256MiB").
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "sheaf/base/core/result.h"

namespace sheaf::core {

// A count of bytes; a value. Differences may be negative, limits may not.
struct Bytes {
  int64_t count = 0;

  auto operator<=>(const Bytes&) const = default;
  constexpr Bytes operator+(Bytes other) const { return {count + other.count}; }
  constexpr Bytes operator-(Bytes other) const { return {count - other.count}; }
  constexpr Bytes& operator+=(Bytes other) {
    count += other.count;
    return *this;
  }
  constexpr Bytes& operator-=(Bytes other) {
    count -= other.count;
    return *this;
  }
};

// "1.5GiB" from 1610612736: the largest binary unit, at most one decimal.
std::string ToText(Bytes bytes);
// "4096", "4KiB", "2.5 GiB", "10MB"; kInvalid names the text and the units.
Result<Bytes> ParseBytes(std::string_view text);

}  // namespace sheaf::core

namespace sheaf {
using core::Bytes;
inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) { return {static_cast<int64_t>(n)}; }
constexpr Bytes operator""_KiB(unsigned long long n) { return {static_cast<int64_t>(n) << 10}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return {static_cast<int64_t>(n) << 20}; }
constexpr Bytes operator""_GiB(unsigned long long n) { return {static_cast<int64_t>(n) << 30}; }
}  // namespace literals
}  // namespace sheaf
