#include "sheaf/host/admission/admission.h"

#include <algorithm>
#include <utility>

namespace sheaf::admission {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Admission::Admission(AdmissionOptions options, Clock& clock, Metrics& metrics,
                     std::shared_ptr<Account> account)
    : options_(options),
      clock_(clock),
      probe_(metrics),
      account_(std::move(account)),
      queue_({.running_max = options.running_max, .queue_max = options.queue_max}) {}

int64_t Admission::RetryAfterMs() const {
  // When the queue is full, a slot comes free about every mean run / slots; half the queue must
  // drain before it is worth knocking again.
  const double slot_ms = run_ms_mean_ / static_cast<double>(options_.running_max);
  const double wait_ms = slot_ms * static_cast<double>(queue_.waiting()) / 2;
  return static_cast<int64_t>(std::clamp(wait_ms, 50.0, 5'000.0));
}

Result<Admission::Place> Admission::Enter(int priority, std::function<void()> granted) {
  Place place = 0;
  {
    MutexLock lock(mutex_);
    if (closed_) return Fail(Kind::kShuttingDown, "the server is stopping; ask another node");
    const bool over_bytes = account_ != nullptr && account_->excess().count > 0;
    const auto entered = over_bytes ? std::nullopt : queue_.Enter(priority, clock_.Now());
    if (!entered.has_value()) {
      probe_.refused.Increment();
      const std::string why =
          over_bytes ? "the memory budget is spent"
                     : "the queue of priority " + std::to_string(priority) + " is full";
      const auto after = std::to_string(RetryAfterMs());
      return Fail(Kind::kBackpressure, why + "; try again in " + after + " ms",
                  "{\"after_ms\":" + after + "}");
    }
    place = *entered;
    entries_.emplace(place, Entry{std::move(granted), clock_.Now()});
  }
  GrantNext();
  return place;
}

void Admission::GrantNext() {
  std::vector<std::function<void()>> calls;
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      const Instant now = clock_.Now();
      for (const Place place : queue_.Grant(now)) {
        Entry& entry = entries_.at(place);
        probe_.wait_seconds.Observe(Seconds(now - entry.since));
        entry.since = now;
        calls.push_back(std::move(entry.granted));
        entry.granted = nullptr;
      }
    }
    probe_.running.Set(static_cast<double>(queue_.running()));
    probe_.waiting.Set(static_cast<double>(queue_.waiting()));
  }
  for (auto& call : calls) call();
}

void Admission::Raise(Place place, int priority) {
  MutexLock lock(mutex_);
  queue_.Raise(place, priority);
}

void Admission::Leave(Place place) {
  std::function<void()> dropped;  // Dies outside the lock.
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(place);
    if (found == entries_.end()) return;
    if (found->second.granted == nullptr) {
      const double ran_ms = Seconds(clock_.Now() - found->second.since) * 1e3;
      run_ms_mean_ += (ran_ms - run_ms_mean_) / 16;
    }
    dropped = std::move(found->second.granted);
    entries_.erase(found);
    queue_.Leave(place);
  }
  GrantNext();
}

void Admission::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
}

Admission::Load Admission::load() const {
  MutexLock lock(mutex_);
  return {queue_.running(), queue_.waiting(), options_.running_max};
}

}  // namespace sheaf::admission
