#include "sheaf/drivers/grpc/idle.h"

#include <utility>

namespace sheaf::grpc {

struct IdleWatch::State {
  State(Timers& t, Duration l, std::function<void()> f)
      : timers(t), limit(l), on_idle(std::move(f)) {}

  Timers& timers;  // Borrowed from main.
  const Duration limit;
  Mutex mutex;
  std::function<void()> on_idle SHEAF_GUARDED_BY(mutex);
  std::optional<Instant> since SHEAF_GUARDED_BY(mutex);  // None = nothing outstanding.
  std::optional<Timers::Handle> timer SHEAF_GUARDED_BY(mutex);
  bool stopped SHEAF_GUARDED_BY(mutex) = false;
};

IdleWatch::IdleWatch(Timers& timers, Duration limit, std::function<void()> on_idle)
    : state_(std::make_shared<State>(timers, limit, std::move(on_idle))) {}

void IdleWatch::Started() {
  const Instant now = state_->timers.clock().Now();
  MutexLock lock(state_->mutex);
  state_->since = now;
  if (!state_->timer.has_value() && !state_->stopped) Arm(state_, now + state_->limit);
}

void IdleWatch::Ended() {
  MutexLock lock(state_->mutex);
  state_->since.reset();
}

void IdleWatch::Stop() {
  std::optional<Timers::Handle> timer;
  {
    MutexLock lock(state_->mutex);
    state_->stopped = true;
    timer = std::exchange(state_->timer, std::nullopt);
  }
  if (timer.has_value()) state_->timers.Cancel(*timer);
}

void IdleWatch::Arm(const std::shared_ptr<State>& state, Instant at) {
  state->timer = state->timers.At(at, [state] { Look(state); });
}

void IdleWatch::Look(const std::shared_ptr<State>& state) {
  std::function<void()> on_idle;
  {
    MutexLock lock(state->mutex);
    if (state->stopped) return;
    const Instant now = state->timers.clock().Now();
    const Instant due = state->since.value_or(now) + state->limit;
    if (due > now) return Arm(state, due);
    state->stopped = true;
    on_idle = std::move(state->on_idle);
  }
  on_idle();
}

}  // namespace sheaf::grpc
