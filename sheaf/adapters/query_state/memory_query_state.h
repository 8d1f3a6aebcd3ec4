// Query states in the memory of this process.
#pragma once

#include <memory>

#include "sheaf/base/time/time.h"
#include "sheaf/ports/query_state/query_state.h"

namespace sheaf::query_state {

struct MemoryOptions {
  size_t records_max = 1'000'000;                  // kExhausted for a new key above it.
  size_t watchers_max = 1'000'000;                 // Watch is kExhausted above it.
  Duration completed_for = std::chrono::hours(1);  // Then a completed record is forgotten;
  Duration failed_for = std::chrono::minutes(10);  // an errored, cancelled or reset_failed one.
  // A queued record whose lease ended this long ago is cancelled: its owner is gone, or does not
  // renew while it queues.
  Duration queued_grace = std::chrono::minutes(10);
};

// `clock` is borrowed and outlives the store. Watchers are called on the thread that makes the
// change, after it, under no lock. Leases are counted on the monotonic clock.
std::unique_ptr<QueryState> MakeMemoryQueryState(Clock& clock, MemoryOptions options = {});

}  // namespace sheaf::query_state
