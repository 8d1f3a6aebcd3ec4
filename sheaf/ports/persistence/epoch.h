// Fencing: who may write, told by a number that only grows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sheaf/base/core/result.h"

namespace sheaf::persistence {

// What an epoch owns: `node/<name>` (history, checkpoint, that node's resources) or `cluster` (the
// registry, and any resources).
inline constexpr std::string_view kClusterScope = "cluster";
std::string NodeScope(std::string_view name);
// kInvalid unless it is `cluster` or `node/` and a name.
Status CheckScope(std::string_view scope);

// The right to write in a scope, until somebody acquires it anew. A value.
struct Epoch {
  std::string scope;
  uint64_t number = 0;
  std::string holder;  // For the one who is refused: who it was.
  bool operator==(const Epoch&) const = default;
};

// What a write with a stale epoch gets; it changed nothing. kConflict, and details
// {"reason":"ownership_lost","scope":…,"epoch":…,"present":…,"holder":…}: the writer turns not
// ready.
Error OwnershipLost(const Epoch& stale, uint64_t present, std::string_view holder);
bool IsOwnershipLost(const Error& error);

// What administration gets when a scope that must be free is held: kConflict, and details
// {"reason":"scope_held","scope":…,"epoch":…,"holder":…}.
Error ScopeHeld(const Epoch& present);
bool IsScopeHeld(const Error& error);

// Hands out epochs.
//
// Owner: who opened the back end. Threads: any. Blocking: may wait for a disk or a network.
// Errors: kInvalid (the scope), kDependency, kDeadline, kExhausted, kCorrupt; a failed Acquire with
//   Effect::kUnknown may have ended the former epoch: acquire again.
class Fencing {
 public:
  virtual ~Fencing() = default;
  // A new epoch, greater than every one before, from which on those before are stale.
  virtual Result<Epoch> Acquire(std::string_view scope, std::string_view holder) = 0;
  // The present epoch; number 0 when nobody ever held the scope.
  virtual Result<Epoch> Holder(std::string_view scope) = 0;
  // Ends the epoch if it is the present one, so that the scope is free; a stale one changes
  // nothing.
  virtual Status Release(const Epoch& epoch) = 0;
};

}  // namespace sheaf::persistence
