// The door of ports/persistence: what Sheaf remembers when every process is gone.
#pragma once

#include <memory>

#include "sheaf/ports/persistence/administration.h"
#include "sheaf/ports/persistence/checkpoint.h"
#include "sheaf/ports/persistence/epoch.h"
#include "sheaf/ports/persistence/outage.h"
#include "sheaf/ports/persistence/resource_state.h"
#include "sheaf/ports/persistence/service_registry.h"
#include "sheaf/ports/persistence/work.h"
#include "sheaf/ports/persistence/work_history.h"

namespace sheaf::persistence {

// One back end, as a factory hands it out; made in main, given to all who need it. Its parts share
// what is behind them and may die in any order.
struct Persistence {
  std::unique_ptr<Fencing> fencing;
  std::unique_ptr<WorkHistory> history;
  std::unique_ptr<ServiceRegistry> services;
  std::unique_ptr<ResourceState> resources;  // Null: the back end offers none (file).
  // For the command line alone; null: the back end offers none (null, memory, file).
  std::unique_ptr<Administration> administration;
  // Null: a write that fails is not kept for later, it is the caller's.
  std::unique_ptr<Outage> outage;
};

}  // namespace sheaf::persistence
