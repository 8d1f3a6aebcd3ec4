#include "sheaf/adapters/persistence/sql_history.h"
#include "sheaf/adapters/persistence/sql_registry.h"
#include "sheaf/adapters/persistence/sql_resources.h"

namespace sheaf::persistence {

Persistence MakeSqlParts(std::shared_ptr<SqlStore> store, CheckpointLimits limits,
                         std::function<void(const std::string&)> compact) {
  Persistence parts;
  parts.fencing = std::make_unique<SqlFencing>(store);
  parts.history = std::make_unique<SqlHistory>(store, limits, std::move(compact));
  parts.services = std::make_unique<SqlRegistry>(store);
  parts.resources = std::make_unique<SqlResources>(store);
  return parts;
}

}  // namespace sheaf::persistence
