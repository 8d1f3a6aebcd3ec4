// Cancellation: one source, any number of tokens, reasons that are errors.
#pragma once

#include <functional>
#include <memory>

#include "sheaf/base/core/result.h"

namespace sheaf::async {

namespace internal {
struct CancelState;
}

// Ends a registration when it dies: after that the callback is not running and never will.
// Movable. Inside its own callback it may be destroyed; then it does not wait for itself.
class CancelRegistration {
 public:
  CancelRegistration() = default;
  CancelRegistration(std::shared_ptr<internal::CancelState> state, uint64_t id);
  CancelRegistration(CancelRegistration&& other) noexcept;
  CancelRegistration& operator=(CancelRegistration&& other) noexcept;
  ~CancelRegistration() { Reset(); }
  void Reset() noexcept;

 private:
  std::shared_ptr<internal::CancelState> state_;  // Shared with the source and its tokens.
  uint64_t id_ = 0;
};

// What running work holds: it can ask, and it can be told.
//
// Threads: from any thread. Blocking: never. The default token is never cancelled.
class CancelToken {
 public:
  CancelToken() = default;
  bool cancelled() const noexcept;
  // Done, or the reason (kCancelled, kDeadline, kShuttingDown, …).
  Status Check() const;
  // Calls `on_cancel` once, on the cancelling thread; at once when it is cancelled already.
  [[nodiscard]] CancelRegistration OnCancel(std::function<void()> on_cancel) const;

 private:
  friend class CancelSource;
  explicit CancelToken(std::shared_ptr<internal::CancelState> state) : state_(std::move(state)) {}
  std::shared_ptr<internal::CancelState> state_;  // Shared with the source.
};

// What the owner of the work holds. Copies are the same source. Only the first Cancel counts.
class CancelSource {
 public:
  CancelSource();
  CancelToken token() const { return CancelToken(state_); }
  bool cancelled() const noexcept { return token().cancelled(); }
  // True when this call was the one that cancelled. Callbacks run before it returns.
  bool Cancel(Error reason) const;
  bool Cancel() const { return Cancel(Fail(Kind::kCancelled, "cancelled")); }

 private:
  std::shared_ptr<internal::CancelState> state_;
};

}  // namespace sheaf::async

namespace sheaf {
using async::CancelRegistration;
using async::CancelSource;
using async::CancelToken;
}  // namespace sheaf
