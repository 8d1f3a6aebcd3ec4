// Timers: calls functions at instants of a clock, on one thread.
#pragma once

#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/time/time.h"

namespace sheaf::async {

// A Timers calls each function once, at or after its instant; instants in order.
//
// Owner: main. Threads: At and Cancel from any thread. Blocking: Cancel waits while the function
// itself is being called on another thread, so that after it nothing of the function runs.
// Functions must be short (post long work to an executor) and must not throw.
class Timers final {
 public:
  using Handle = std::pair<Instant, uint64_t>;

  explicit Timers(Clock& clock);
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  Handle At(Instant instant, std::function<void()> call);
  Handle After(Duration wait, std::function<void()> call) {
    return At(clock_.Now() + wait, std::move(call));
  }
  // True when the function will never be called; false when it was called already.
  bool Cancel(Handle handle);

  Clock& clock() const { return clock_; }
  size_t pending() const;

 private:
  void Run();

  Clock& clock_;  // Borrowed from main; outlives this.
  mutable Mutex mutex_;
  CondVar wake_;
  CondVar idle_;
  std::map<Handle, std::function<void()>> calls_ SHEAF_GUARDED_BY(mutex_);
  uint64_t next_ SHEAF_GUARDED_BY(mutex_) = 1;
  uint64_t running_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool stopping_ SHEAF_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: joined before anything above dies.
};

}  // namespace sheaf::async

namespace sheaf {
using async::Timers;
}  // namespace sheaf
