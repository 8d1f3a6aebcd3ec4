// What goes when a budget is exceeded: a decision without locks, disks or clocks.
#pragma once

#include <cstdint>
#include <vector>

#include "sheaf/base/core/bytes.h"
#include "sheaf/base/time/time.h"

namespace sheaf::store {

// What eviction needs to know of one flight. A value.
struct EvictionItem {
  uint64_t generation = 0;
  Instant last_used{};
  Bytes memory{};
  Bytes disk{};
  bool writing = false;
  bool named = false;        // A path names it…
  bool upload = false;       // …and no command can remake it, for one of its paths at least…
  bool pinned = false;       // …or somebody wants it kept.
  bool former = false;       // Was named once: kept for tickets.
  bool read_to_end = false;  // Unnamed and served.
  bool may_spill = false;
  int32_t handles = 0;
  int32_t readers = 0;
};

struct EvictionFacts {
  Bytes memory_excess{};  // To be freed; 0 or less = none.
  Bytes disk_excess{};    // Before anything is spilled; negative = so much room. Unlimited: very.
  std::vector<EvictionItem> items;
};

struct EvictionAction {
  enum class What : uint8_t {
    kForget,   // A former generation: its tickets get RESULT_GONE.
    kDiscard,  // An unnamed result that was read to its end.
    kSpill,    // Memory moves to disk; nothing is lost.
    kEvict,    // A sunk flight: its command can remake it.
  };
  What what;
  uint64_t generation;
  bool operator==(const EvictionAction&) const = default;
};

// What to do, in this order, each kind least recently used first, and no more than is needed:
//   memory: former generations without handles, unnamed results read to the end without readers,
//           spills as far as the disk has room or can get it, sunk flights without handles;
//   disk:   the same without spills.
// Never uploads, pinned flights or ones with handles; these may be spilled.
std::vector<EvictionAction> DecideEviction(const EvictionFacts& facts);

}  // namespace sheaf::store
