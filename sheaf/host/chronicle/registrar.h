// Services of this node's modules as registrations with their active state.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/base/time/clock.h"
#include "sheaf/ports/persistence/epoch.h"
#include "sheaf/ports/persistence/service_registry.h"

namespace sheaf::chronicle {

struct Offered {
  std::string service;
  std::string module;
  std::string node;
  bool available = false;
  std::string reason;  // Why it is not; empty when it is.
  bool operator==(const Offered&) const = default;
};

// What a registration is known by: "SHEAF:<node>:<service>".
std::string EndpointOf(const Offered& offered);
persistence::Registration RegistrationOf(int64_t id, const Offered& offered, WallTime now);

// Keeps the registry equal to what is offered: registers, changes, never archives (who offers no
// longer is stopped, its registration stays).
//
// Owner: the chronicle. Threads: one. Blocking: as the registry.
class Registrar final {
 public:
  Registrar(persistence::Fencing& fencing, persistence::ServiceRegistry& registry,
            std::string holder)
      : fencing_(fencing), registry_(registry), holder_(std::move(holder)) {}

  // Writes what has changed. Done when there is nothing to do. OwnershipLost: another server keeps
  // the registry from now on, and this one asks no more.
  Status Sync(const std::vector<Offered>& offered, WallTime now);
  // Gives the registry up, when it was ever taken.
  void Release();

 private:
  Status TakeIt();
  Status SyncOne(const Offered& offered, WallTime now);

  persistence::Fencing& fencing_;           // Borrowed from main.
  persistence::ServiceRegistry& registry_;  // Borrowed from main.
  const std::string holder_;
  std::optional<persistence::Epoch> epoch_;  // Once it was taken.
  bool lost_ = false;
  std::map<std::string, persistence::Registration> registered_;  // By endpoint, as last seen.
  std::map<std::string, Offered> written_;                        // Likewise, by this process.
  int64_t next_id_ = 1;
};

}  // namespace sheaf::chronicle
