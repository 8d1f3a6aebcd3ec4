#include "sheaf/host/modules/watched.h"

#include <exception>
#include <optional>
#include <utility>

namespace sheaf::modules {
namespace {

// Where the call's end and its limit meet; whichever comes first wakes the caller.
class Meeting {
 public:
  void End(Status status) {
    MutexLock lock(mutex_);
    status_ = std::move(status);
    wake_.NotifyAll();
  }
  void Late() {
    MutexLock lock(mutex_);
    late_ = true;
    wake_.NotifyAll();
  }
  // Empty when it is late.
  std::optional<Status> Wait() {
    MutexLock lock(mutex_);
    while (!status_.has_value() && !late_) wake_.Wait(mutex_);
    return status_;
  }

 private:
  Mutex mutex_;
  CondVar wake_;
  std::optional<Status> status_ SHEAF_GUARDED_BY(mutex_);
  bool late_ SHEAF_GUARDED_BY(mutex_) = false;
};

int64_t Millis(Duration wait) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
}

}  // namespace

Status Guarded(const std::function<Status()>& call) noexcept {
  try {
    return call();
  } catch (const std::exception& e) {
    return Fail(Kind::kFailed, std::string("threw: ") + e.what());
  } catch (...) {
    return Fail(Kind::kFailed, "threw something that is no exception");
  }
}

Watched::Watched(std::string name, Timers& timers)
    : timers_(timers),
      busy_(std::make_shared<std::atomic<bool>>(false)),
      executor_(std::make_unique<Executor>(
          async::ExecutorOptions{.name = std::move(name), .threads_max = 1, .queue_max = 4})) {}

Watched::~Watched() {
  // Joining would wait for ever. Whoever owns the process decides how it ends.
  if (busy()) (void)executor_.release();
}

bool Watched::TryBegin(std::function<void()> call, std::function<void()> then) {
  if (busy_->exchange(true)) return false;
  const bool posted = executor_->TryPost(
      [busy = busy_, call = std::move(call), then = std::move(then)]() mutable {
        call();
        call = nullptr;
        *busy = false;
        then();  // Whoever hears the end may begin the next call.
      });
  SHEAF_CHECK(posted);  // At most the last call's `then` and one WaitIdle are in its way.
  return true;
}

bool Watched::WaitIdle(Duration limit) {
  if (!busy()) return true;
  auto meeting = std::make_shared<Meeting>();
  const auto timer = timers_.After(limit, [meeting] { meeting->Late(); });
  const bool posted = executor_->TryPost([meeting] { meeting->End(Done()); });
  const bool idle = posted && meeting->Wait().has_value();
  timers_.Cancel(timer);
  return idle;
}

Status Watched::Call(Duration limit, std::function<Status()> call) {
  auto meeting = std::make_shared<Meeting>();  // Shared with a call that may outlive the wait.
  const auto timer = timers_.After(limit, [meeting] { meeting->Late(); });
  auto ended = std::make_shared<Status>();
  const bool begun = TryBegin([ended, call = std::move(call)] { *ended = Guarded(call); },
                              [ended, meeting] { meeting->End(std::move(*ended)); });
  if (!begun) {
    timers_.Cancel(timer);
    return Fail(Kind::kNotReady, "an earlier call has not returned");
  }
  auto status = meeting->Wait();
  timers_.Cancel(timer);
  if (status.has_value()) return *std::move(status);
  return Fail(Kind::kDeadline, "has not returned after " + std::to_string(Millis(limit)) + " ms");
}

}  // namespace sheaf::modules
