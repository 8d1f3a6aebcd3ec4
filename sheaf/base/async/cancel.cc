#include "sheaf/base/async/cancel.h"

#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "sheaf/base/async/mutex.h"

namespace sheaf::async {
namespace internal {

struct CancelState {
  std::atomic<bool> cancelled{false};
  Mutex mutex;
  CondVar idle;
  std::optional<Error> reason SHEAF_GUARDED_BY(mutex);
  std::map<uint64_t, std::function<void()>> callbacks SHEAF_GUARDED_BY(mutex);
  uint64_t next SHEAF_GUARDED_BY(mutex) = 1;
  uint64_t running SHEAF_GUARDED_BY(mutex) = 0;  // The callback being called; 0 = none.
  std::thread::id runner SHEAF_GUARDED_BY(mutex);
};

}  // namespace internal

CancelRegistration::CancelRegistration(std::shared_ptr<internal::CancelState> state, uint64_t id)
    : state_(std::move(state)), id_(id) {}

CancelRegistration::CancelRegistration(CancelRegistration&& other) noexcept
    : state_(std::move(other.state_)), id_(std::exchange(other.id_, 0)) {}

CancelRegistration& CancelRegistration::operator=(CancelRegistration&& other) noexcept {
  if (this != &other) {
    Reset();
    state_ = std::move(other.state_);
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

void CancelRegistration::Reset() noexcept {
  if (state_ == nullptr) return;
  {
    MutexLock lock(state_->mutex);
    state_->callbacks.erase(id_);
    // On the cancelling thread itself the callback is below us on the stack: waiting would hang.
    while (state_->running == id_ && id_ != 0 && state_->runner != std::this_thread::get_id()) {
      state_->idle.Wait(state_->mutex);
    }
  }
  state_.reset();
  id_ = 0;
}

bool CancelToken::cancelled() const noexcept {
  return state_ != nullptr && state_->cancelled.load(std::memory_order_acquire);
}

Status CancelToken::Check() const {
  if (!cancelled()) return Done();
  MutexLock lock(state_->mutex);
  return *state_->reason;
}

CancelRegistration CancelToken::OnCancel(std::function<void()> on_cancel) const {
  if (state_ == nullptr) return {};
  {
    MutexLock lock(state_->mutex);
    if (!state_->reason.has_value()) {
      const uint64_t id = state_->next++;
      state_->callbacks.emplace(id, std::move(on_cancel));
      return CancelRegistration(state_, id);
    }
  }
  on_cancel();
  return {};
}

CancelSource::CancelSource() : state_(std::make_shared<internal::CancelState>()) {}

bool CancelSource::Cancel(Error reason) const {
  auto& state = *state_;
  {
    MutexLock lock(state.mutex);
    if (state.reason.has_value()) return false;
    state.reason = std::move(reason);
    state.runner = std::this_thread::get_id();
    state.cancelled.store(true, std::memory_order_release);
  }
  while (true) {
    std::function<void()> callback;
    {
      MutexLock lock(state.mutex);
      if (state.callbacks.empty()) break;
      auto first = state.callbacks.begin();
      state.running = first->first;
      callback = std::move(first->second);
      state.callbacks.erase(first);
    }
    callback();
    callback = nullptr;
    MutexLock lock(state.mutex);
    state.running = 0;
    state.idle.NotifyAll();
  }
  return true;
}

}  // namespace sheaf::async
