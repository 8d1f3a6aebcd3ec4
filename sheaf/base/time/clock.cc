#include "sheaf/base/time/clock.h"

#include <algorithm>
#include <chrono>

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

// Every line of the log and every answer has one: written by hand, as strftime costs ten times it.
std::string ToText(WallTime wall) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> at(
      chrono::floor<chrono::milliseconds>(chrono::microseconds(wall.micros)));
  const auto day = chrono::floor<chrono::days>(at);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss time(at - day);
  std::string text = "0000-00-00T00:00:00.000Z";
  const auto put = [&text](size_t end, int64_t number) {
    for (; number > 0; number /= 10) text[--end] = static_cast<char>('0' + number % 10);
  };
  put(4, std::clamp(static_cast<int>(date.year()), 0, 9999));
  put(7, static_cast<unsigned>(date.month()));
  put(10, static_cast<unsigned>(date.day()));
  put(13, time.hours().count());
  put(16, time.minutes().count());
  put(19, time.seconds().count());
  put(23, time.subseconds().count());
  return text;
}

}  // namespace sheaf::time
