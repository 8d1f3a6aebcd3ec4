// An Event happens once; threads wait for it with a deadline, or are called.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/time/time.h"

namespace sheaf::async {

// Threads: any. Blocking: Wait, by the real clock (for tests and command lines; servers use Then).
class Event final {
 public:
  void Set() {
    std::vector<std::function<void()>> calls;
    {
      MutexLock lock(mutex_);
      if (set_) return;
      set_ = true;
      calls.swap(calls_);
      wake_.NotifyAll();
    }
    for (auto& call : calls) call();
  }
  bool IsSet() const {
    MutexLock lock(mutex_);
    return set_;
  }
  // Calls `call` when the event happens; at once when it has.
  void Then(std::function<void()> call) {
    {
      MutexLock lock(mutex_);
      if (!set_) {
        calls_.push_back(std::move(call));
        return;
      }
    }
    call();
  }
  void Wait() const {
    MutexLock lock(mutex_);
    while (!set_) wake_.Wait(mutex_);
  }
  // True when it happened within `wait`.
  bool WaitFor(Duration wait) const {
    const auto end = time::SystemClock().Now() + wait;
    MutexLock lock(mutex_);
    while (!set_) {
      const Duration left = time::SystemClock().RealWait(end);
      if (left <= Duration(0)) return false;
      wake_.WaitFor(mutex_, left);
    }
    return true;
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar wake_;
  bool set_ SHEAF_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> calls_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::async

namespace sheaf {
using async::Event;
}  // namespace sheaf
