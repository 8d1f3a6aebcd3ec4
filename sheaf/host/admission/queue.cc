#include "sheaf/host/admission/queue.h"

#include <algorithm>

namespace sheaf::admission {

std::optional<SlotQueue::Place> SlotQueue::Enter(int priority, Instant now) {
  auto& count = counts_[static_cast<size_t>(priority)];
  if (count >= options_.queue_max && running_.size() >= options_.running_max) return std::nullopt;
  ++count;
  waiting_.emplace(next_, Waiting{priority, now});
  return next_++;
}

void SlotQueue::Raise(Place place, int priority) {
  const auto found = waiting_.find(place);
  if (found == waiting_.end() || found->second.priority >= priority) return;
  --counts_[static_cast<size_t>(found->second.priority)];
  ++counts_[static_cast<size_t>(priority)];
  found->second.priority = priority;
}

void SlotQueue::Leave(Place place) {
  if (const auto found = waiting_.find(place); found != waiting_.end()) {
    --counts_[static_cast<size_t>(found->second.priority)];
    waiting_.erase(found);
  }
  running_.erase(place);
}

std::vector<SlotQueue::Place> SlotQueue::Grant(Instant now) {
  std::vector<Place> granted;
  while (running_.size() < options_.running_max && !waiting_.empty()) {
    // Places grow with time, so that the first of the greatest rank is the oldest.
    auto rank = [&](const Waiting& waiting) {
      return waiting.priority + static_cast<int64_t>((now - waiting.since) / options_.aging);
    };
    auto best = waiting_.begin();
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      if (rank(at->second) > rank(best->second)) best = at;
    }
    --counts_[static_cast<size_t>(best->second.priority)];
    running_.emplace(best->first, true);
    granted.push_back(best->first);
    waiting_.erase(best);
  }
  return granted;
}

}  // namespace sheaf::admission
