// Time comes in by parameter: a Clock, real in main, manual in tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace sheaf::time {

using Duration = std::chrono::nanoseconds;
// A point on the monotonic scale of one clock; never compare instants of two clocks.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// Microseconds since 1970-01-01T00:00:00Z; may step back when the machine's clock is set.
struct WallTime {
  int64_t micros = 0;
  auto operator<=>(const WallTime&) const = default;
};

// "2026-11-23T06:10:00.123Z" (RFC 3339, milliseconds).
std::string ToText(WallTime wall);

// A Clock tells the time.
//
// Owner: main (or the test). Threads: every method from any thread. Blocking: never.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;    // Monotonic; for deadlines and leases.
  virtual WallTime Wall() const = 0;  // For records that people read.
  // How long a thread may really wait for `instant` before it looks again; a manual clock says
  // "for ever" and calls the watchers instead.
  virtual Duration RealWait(Instant instant) const = 0;
  // Calls `watcher` after each jump of a manual clock. `owner` names the subscription.
  virtual void Watch(const void* owner, std::function<void()> watcher) = 0;
  virtual void Unwatch(const void* owner) = 0;
};

// The machine's clocks. The only place that reads them, apart from apps.
class SystemClock final : public Clock {
 public:
  Instant Now() const override;
  WallTime Wall() const override;
  Duration RealWait(Instant instant) const override;
  void Watch(const void* owner, std::function<void()> watcher) override;
  void Unwatch(const void* owner) override;
};

}  // namespace sheaf::time

namespace sheaf {
using time::Clock;
using time::Duration;
using time::Instant;
using time::WallTime;
}  // namespace sheaf
