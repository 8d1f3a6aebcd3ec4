#include "sheaf/base/time/clock.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace sheaf::time {

Instant SystemClock::Now() const { return std::chrono::steady_clock::now(); }

WallTime SystemClock::Wall() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

Duration SystemClock::RealWait(Instant instant) const { return instant - Now(); }

// Time flows by itself; there are no jumps to tell of.
void SystemClock::Watch(const void*, std::function<void()>) {}
void SystemClock::Unwatch(const void*) {}

std::string ToText(WallTime wall) {
  const std::time_t seconds = wall.micros / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                parts.tm_sec, static_cast<int>(wall.micros / 1000 % 1000));
  return text.data();
}

}  // namespace sheaf::time
