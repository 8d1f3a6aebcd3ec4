#include "sheaf/base/async/timers.h"

#include <pthread.h>

namespace sheaf::async {

Timers::Timers(Clock& clock) : clock_(clock), thread_([this] { Run(); }) {
  clock_.Watch(this, [this] {
    MutexLock lock(mutex_);
    wake_.NotifyAll();
  });
}

Timers::~Timers() {
  clock_.Unwatch(this);
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

Timers::Handle Timers::At(Instant instant, std::function<void()> call) {
  MutexLock lock(mutex_);
  const Handle handle{instant, next_++};
  const bool first = calls_.empty() || handle < calls_.begin()->first;
  calls_.emplace(handle, std::move(call));
  if (first) wake_.NotifyAll();
  return handle;
}

bool Timers::Cancel(Handle handle) {
  std::function<void()> dropped;  // Dies outside the lock: what it captured may call us.
  MutexLock lock(mutex_);
  if (auto found = calls_.find(handle); found != calls_.end()) {
    dropped = std::move(found->second);
    calls_.erase(found);
    return true;
  }
  while (running_ == handle.second && thread_.get_id() != std::this_thread::get_id()) {
    idle_.Wait(mutex_);
  }
  return false;
}

size_t Timers::pending() const {
  MutexLock lock(mutex_);
  return calls_.size();
}

void Timers::Run() {
  ::pthread_setname_np(::pthread_self(), "timers");
  while (true) {
    std::function<void()> call;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && (calls_.empty() || calls_.begin()->first.first > clock_.Now())) {
        wake_.WaitFor(mutex_, calls_.empty() ? Duration::max()
                                             : clock_.RealWait(calls_.begin()->first.first));
      }
      if (stopping_) return;
      running_ = calls_.begin()->first.second;
      call = std::move(calls_.begin()->second);
      calls_.erase(calls_.begin());
    }
    call();
    call = nullptr;
    MutexLock lock(mutex_);
    running_ = 0;
    idle_.NotifyAll();
  }
}

}  // namespace sheaf::async
