// Calls of code that is not ours: they may throw, and they may never return.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"

namespace sheaf::modules {

// `call`'s status; kFailed with the text of what it threw.
Status Guarded(const std::function<Status()>& call) noexcept;

// A thread of its own for one call at a time.
//
// Owner: a module's slot. Threads: one caller at a time, `busy` from any. Blocking: Call waits
// for the call or its limit. A call that never returns keeps its thread: when this dies first the
// thread is left behind until the process ends, so a call owns (shares) what it uses.
class Watched final {
 public:
  Watched(std::string name, Timers& timers);
  ~Watched();
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  // Guarded(call), or kDeadline when `limit` passed first (the call goes on), or kNotReady while
  // an earlier call has not returned.
  Status Call(Duration limit, std::function<Status()> call);
  // Begins and does not wait; `then` is called there once the next call may begin. False while an
  // earlier call has not returned. Neither may throw.
  [[nodiscard]] bool TryBegin(std::function<void()> call, std::function<void()> then);
  // Waits for the call that TryBegin began; false when `limit` passed first.
  bool WaitIdle(Duration limit);
  bool busy() const { return *busy_; }

 private:
  Timers& timers_;  // Borrowed from main; outlives this.
  std::shared_ptr<std::atomic<bool>> busy_;  // Shared with a call that outlives us.
  std::unique_ptr<Executor> executor_;
};

}  // namespace sheaf::modules
