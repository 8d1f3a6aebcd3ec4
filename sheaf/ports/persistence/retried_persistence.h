// Makes a call again that failed for the moment: Persistence retried = Decorate(inner, retries).
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/time/time.h"
#include "sheaf/ports/persistence/decorated.h"
#include "sheaf/ports/persistence/probe.h"

namespace sheaf::persistence {

struct RetryOptions {
  Duration first = std::chrono::milliseconds(20);  // The longest first wait; doubles each time.
  Duration longest = std::chrono::seconds(2);
  Duration deadline = std::chrono::seconds(15);  // After it the last error is the answer.
};

// A failure for the moment: the database is away, busy, or its answer was lost. Every verb of the
// port may be repeated, so that Effect::kUnknown is one more reason to ask again.
constexpr bool MayPass(Kind kind) {
  return kind == Kind::kDependency || kind == Kind::kBackpressure || kind == Kind::kDeadline;
}

// Waits a random part of a growing span between attempts, until the deadline: never for ever, and
// never all clients at once.
//
// Owner: main. Threads: any. Blocking: up to the deadline, in `wait`, which ends early with an
//   error when the process stops. `chance` gives a number of [0, 1).
class Retries final {
 public:
  Retries(Clock& clock, Metrics& metrics, std::function<Status(Duration)> wait,
          std::function<double()> chance, RetryOptions options = {})
      : clock_(clock),
        probe_(metrics),
        wait_(std::move(wait)),
        chance_(std::move(chance)),
        options_(options) {}

  template <typename Act>
  auto Call(Verb, Act act) -> decltype(act()) {
    const auto deadline = Deadline::After(clock_, options_.deadline);
    Duration span = options_.first;
    bool unknown = false;
    while (true) {
      auto answer = act();
      if (answer.ok()) return answer;
      unknown = unknown || answer.error().effect == Effect::kUnknown;
      const Duration left = deadline.Left(clock_.Now());
      const bool ends = !MayPass(answer.error().kind) || left <= Duration(0);
      if (ends || !wait_(std::min(left, Part(span))).ok()) return WithEffect(answer, unknown);
      span = std::min(span * 2, options_.longest);
      probe_.retries.Increment();
    }
  }

 private:
  Duration Part(Duration span) {
    MutexLock lock(mutex_);
    return std::chrono::duration_cast<Duration>(span * chance_());
  }
  // A lost answer stays lost, whatever the last attempt said.
  template <typename Answer>
  static Answer WithEffect(Answer& answer, bool unknown) {
    Error error = std::move(answer).error();
    if (unknown) error.effect = Effect::kUnknown;
    return error;
  }

  Clock& clock_;  // Borrowed from main.
  Probe probe_;
  const std::function<Status(Duration)> wait_;
  Mutex mutex_;
  const std::function<double()> chance_ SHEAF_GUARDED_BY(mutex_);
  const RetryOptions options_;
};

}  // namespace sheaf::persistence
