// Ends a peer that lives but does nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "sheaf/base/async/async.h"
#include "sheaf/base/time/time.h"

namespace sheaf::grpc {

// Calls `on_idle` once when an operation was outstanding for `limit`. One timer a watch, that
// looks and sleeps again: starting and ending an operation costs a look at the clock, no timer.
//
// Owner: a reactor; must be stopped (or destroyed) before what `on_idle` borrows goes.
// Threads: any. Blocking: Stop waits while `on_idle` runs on the timers' thread.
class IdleWatch final {
 public:
  IdleWatch(Timers& timers, Duration limit, std::function<void()> on_idle);
  ~IdleWatch() { Stop(); }
  IdleWatch(const IdleWatch&) = delete;
  IdleWatch& operator=(const IdleWatch&) = delete;

  void Started();  // An operation is outstanding.
  void Ended();    // It is not.
  void Stop();

 private:
  struct State;
  // Under the state's mutex.
  static void Arm(const std::shared_ptr<State>& state, Instant at) SHEAF_NO_ANALYSIS;
  static void Look(const std::shared_ptr<State>& state);
  const std::shared_ptr<State> state_;  // Shared with the timer's function.
};

}  // namespace sheaf::grpc
