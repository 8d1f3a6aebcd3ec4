// The step of the machine as a pure function: what every store does inside its one atomic change.
#pragma once

#include <cstddef>

#include "sheaf/ports/query_state/query_state.h"

namespace sheaf::query_state {

// An error longer than this is cut.
inline constexpr size_t kErrorBytesMax = 4096;

// completed, errored or cancelled: nothing runs, and the record ends after its time.
bool IsFinished(State state);
// queued, executing or resetting: somebody works on it and holds a lease.
bool IsOwned(State state);

inline int64_t ToMicros(Duration wait) {
  return std::chrono::duration_cast<std::chrono::microseconds>(wait).count();
}

// Makes the step on `record` and returns true, or leaves it as it is and returns false: the
// machine has no such step, or the epoch (with kCancel only that) or owner is not the present one.
// A step made twice changes nothing the second time; whoever made it knows itself by owner and
// epoch. kQueue draws `fresh_epoch`, which the store never gives twice, whatever it forgets.
// kReset keeps the epoch and makes the resetter the owner; kFinishResetting leaves Record{}.
bool ApplyStep(Record& record, const Step& step, WallTime now, uint64_t fresh_epoch);

}  // namespace sheaf::query_state
