// Outage: what a back end says of writes that wait because its database is away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/base/time/clock.h"
#include "sheaf/ports/persistence/epoch.h"

namespace sheaf::persistence {

// A value.
struct Standing {
  enum class State : uint8_t { kOk, kDegraded } state = State::kOk;  // Degraded: writes wait.
  WallTime since;           // Of the first that waits; while degraded.
  Duration away{};          // Likewise, how long ago.
  uint64_t records = 0;     // That wait, in order.
  uint64_t bytes = 0;       // Of them.
  uint64_t bytes_max = 0;   // Above it nothing is taken, above three quarters only completions.
  bool full = false;        // New work is refused.
  uint64_t set_aside = 0;   // Records that were acknowledged and cannot be made any more.
  std::vector<std::string> kept;  // Files that hold them, and damaged ones.
  std::string error;        // Of the last attempt; while degraded.
};

// Owner: its Persistence. Threads: any. Blocking: never for a database.
class Outage {
 public:
  virtual ~Outage() = default;
  virtual Standing Look() const = 0;
  // OwnershipLost when a write of this epoch that waited was found stale.
  virtual Status StillOwns(const Epoch& epoch) const = 0;
};

}  // namespace sheaf::persistence
