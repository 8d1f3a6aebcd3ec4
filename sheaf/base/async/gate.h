// A Gate counts work in flight, so that who started it can wait for it.
#pragma once

#include <utility>

#include "sheaf/base/async/mutex.h"

namespace sheaf::async {

// Owner: the owner of the work. Threads: any. Blocking: Close waits for every Pass to die.
class Gate final {
 public:
  // Movable proof of entry; leaving is its death.
  class Pass {
   public:
    Pass() = default;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      if (this != &other) {
        Leave();
        gate_ = std::exchange(other.gate_, nullptr);
      }
      return *this;
    }
    ~Pass() { Leave(); }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    void Leave() {
      if (gate_ != nullptr) std::exchange(gate_, nullptr)->Leave();
    }
    Gate* gate_ = nullptr;  // Borrowed; the gate waits for us.
  };

  // An empty pass once the gate is closed.
  [[nodiscard]] Pass Enter() {
    MutexLock lock(mutex_);
    if (closed_) return Pass();
    ++inside_;
    return Pass(this);
  }
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    while (inside_ > 0) empty_.Wait(mutex_);
  }

 private:
  void Leave() {
    MutexLock lock(mutex_);
    if (--inside_ == 0) empty_.NotifyAll();
  }

  Mutex mutex_;
  CondVar empty_;
  size_t inside_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool closed_ SHEAF_GUARDED_BY(mutex_) = false;
};

}  // namespace sheaf::async

namespace sheaf {
using async::Gate;
}  // namespace sheaf
