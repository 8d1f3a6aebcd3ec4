#include "sheaf/base/time/manual_clock.h"

namespace sheaf::time {
namespace {

class SpinLock {
 public:
  explicit SpinLock(std::atomic_flag& flag) : flag_(flag) {
    while (flag_.test_and_set(std::memory_order_acquire)) flag_.wait(true);
  }
  ~SpinLock() {
    flag_.clear(std::memory_order_release);
    flag_.notify_one();
  }

 private:
  std::atomic_flag& flag_;
};

}  // namespace

void ManualClock::Advance(Duration step) {
  nanos_ += step.count();
  wall_ += std::chrono::duration_cast<std::chrono::microseconds>(step).count();
  SpinLock lock(busy_);
  for (auto& [owner, watcher] : watchers_) watcher();
}

void ManualClock::Watch(const void* owner, std::function<void()> watcher) {
  SpinLock lock(busy_);
  watchers_[owner] = std::move(watcher);
}

void ManualClock::Unwatch(const void* owner) {
  SpinLock lock(busy_);
  watchers_.erase(owner);
}

}  // namespace sheaf::time
