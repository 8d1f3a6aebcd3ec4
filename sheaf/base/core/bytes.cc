#include "sheaf/base/core/bytes.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace sheaf::core {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array<Unit, 12> kUnits = {{{"", 1},
                                          {"B", 1},
                                          {"KiB", 1024.0},
                                          {"MiB", 1048576.0},
                                          {"GiB", 1073741824.0},
                                          {"TiB", 1099511627776.0},
                                          {"kB", 1e3},
                                          {"KB", 1e3},
                                          {"MB", 1e6},
                                          {"GB", 1e9},
                                          {"TB", 1e12},
                                          {"b", 1}}};

}  // namespace

std::string ToText(Bytes bytes) {
  constexpr std::array<std::string_view, 5> names = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes.count);
  size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < names.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 48> text{};
  const bool whole = value == std::floor(value);
  std::snprintf(text.data(), text.size(), whole ? "%.0f%s" : "%.1f%s", value, names[unit].data());
  return text.data();
}

Result<Bytes> ParseBytes(std::string_view text) {
  const Error bad = Fail(Kind::kInvalid, "'" + std::string(text.substr(0, 40)) +
                                             "' is not a size; write bytes or a unit, "
                                             "e.g. 4096, 64KiB, 256MiB, 2GiB");
  double number = 0;
  const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || number < 0) return bad;
  std::string_view unit(rest, static_cast<size_t>(text.data() + text.size() - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  for (const auto& known : kUnits) {
    if (known.name != unit) continue;
    const double count = number * known.factor;
    if (!(count < 9.2e18)) return bad;
    return Bytes{static_cast<int64_t>(count)};
  }
  return bad;
}

}  // namespace sheaf::core
