// Who gets the next slot: the pure core of admission.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "sheaf/base/time/time.h"

namespace sheaf::admission {

inline constexpr int kPriorities = 10;  // 0 to 9, 9 first.

// A value without clock or lock: facts in, decisions out. Places wait in ten queues; the highest
// priority goes first, within one the oldest, and a place that waited `aging` counts one higher.
class SlotQueue {
 public:
  using Place = uint64_t;
  struct Options {
    size_t running_max = 4;
    size_t queue_max = 256;  // A priority.
    Duration aging = std::chrono::seconds(5);
  };
  explicit SlotQueue(Options options) : options_(options) {}

  // No value: the queue of this priority is full.
  std::optional<Place> Enter(int priority, Instant now);
  // A place that waits moves to a higher priority and keeps its age.
  void Raise(Place place, int priority);
  // A place that waits goes away, a running one gives its slot back.
  void Leave(Place place);
  // Those that run from now on, in order; call after Enter and Leave.
  std::vector<Place> Grant(Instant now);

  size_t running() const { return running_.size(); }
  size_t waiting() const { return waiting_.size(); }
  size_t waiting(int priority) const { return counts_[static_cast<size_t>(priority)]; }

 private:
  struct Waiting {
    int priority;
    Instant since;
  };
  Options options_;
  Place next_ = 1;
  std::map<Place, Waiting> waiting_;  // Bounded by queue_max a priority.
  std::map<Place, bool> running_;
  std::array<size_t, kPriorities> counts_{};
};

}  // namespace sheaf::admission
