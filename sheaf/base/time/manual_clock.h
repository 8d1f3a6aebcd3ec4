// A clock that moves only when a test says so.
#pragma once

#include <atomic>
#include <map>

#include "sheaf/base/time/clock.h"

namespace sheaf::time {

// Threads: Now and Wall from any thread; Advance from one thread at a time. Watchers are called
// inside Advance, on its thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = {1'700'000'000'000'000}) : wall_(start.micros) {}

  void Advance(Duration step);
  // Only the wall clock, as when an operator sets the machine's time; may go back.
  void StepWall(std::chrono::microseconds step) { wall_ += step.count(); }

  Instant Now() const override { return Instant(Duration(nanos_.load())); }
  WallTime Wall() const override { return {wall_.load()}; }
  Duration RealWait(Instant) const override { return Duration::max(); }
  void Watch(const void* owner, std::function<void()> watcher) override;
  void Unwatch(const void* owner) override;

 private:
  std::atomic<int64_t> nanos_{1'000'000'000};
  std::atomic<int64_t> wall_;
  // Guarded by a spin flag: base/async, where Mutex lives, stands above this room.
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  std::map<const void*, std::function<void()>> watchers_;
};

}  // namespace sheaf::time

namespace sheaf {
using time::ManualClock;
}  // namespace sheaf
