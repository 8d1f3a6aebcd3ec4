#include "sheaf/drivers/grpc/registry.h"

#include <vector>

#include "sheaf/drivers/grpc/reactor.h"

namespace sheaf::grpc {

void Registry::Add(const std::shared_ptr<Life>& life, Shape shape) {
  MutexLock lock(mutex_);
  lives_.emplace(life.get(), Entry{life, shape, round_});
  if (shape == Shape::kStream) ++streams_;
}

void Registry::Remove(const Life* life) {
  MutexLock lock(mutex_);
  const auto found = lives_.find(life);
  if (found == lives_.end()) return;
  if (found->second.shape == Shape::kStream) --streams_;
  const bool last_old = found->second.round != round_ && --old_ == 0;
  lives_.erase(found);
  if (lives_.empty() || last_old) empty_.NotifyAll();
}

void Registry::CancelAll(const Error& reason) {
  std::vector<std::shared_ptr<Life>> all;  // Called, and let go, outside the lock.
  {
    MutexLock lock(mutex_);
    all.reserve(lives_.size());
    for (const auto& [key, entry] : lives_) {
      if (auto life = entry.life.lock()) all.push_back(std::move(life));
    }
  }
  for (const auto& life : all) life->Cancel(reason);
}

bool Registry::WaitEmpty(Duration wait) const {
  const time::SystemClock clock;  // People wait in real time, whatever clock the calls see.
  const Deadline end = Deadline::After(clock, wait);
  MutexLock lock(mutex_);
  while (!lives_.empty()) {
    const Duration left = end.Left(clock.Now());
    if (left <= Duration(0)) return false;
    empty_.WaitFor(mutex_, left);
  }
  return true;
}

bool Registry::WaitForThoseNow(Duration wait) {
  const time::SystemClock clock;
  const Deadline end = Deadline::After(clock, wait);
  MutexLock lock(mutex_);
  ++round_;
  old_ = static_cast<int64_t>(lives_.size());
  while (old_ > 0) {
    const Duration left = end.Left(clock.Now());
    if (left <= Duration(0)) return false;
    empty_.WaitFor(mutex_, left);
  }
  return true;
}

Registry::Counts Registry::counts() const {
  MutexLock lock(mutex_);
  return {static_cast<int64_t>(lives_.size()), streams_};
}

}  // namespace sheaf::grpc
