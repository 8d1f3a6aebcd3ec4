// An open database as the parts of a Persistence.
#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_administration.h"
#include "sheaf/adapters/persistence/sql_history.h"
#include "sheaf/adapters/persistence/sql_look.h"
#include "sheaf/adapters/persistence/sql_registry.h"
#include "sheaf/adapters/persistence/sql_resources.h"
#include "sheaf/adapters/persistence/sql_schema.h"

namespace sheaf::persistence {
namespace {

// Reads what is there, in one snapshot, then writes it as a base: writers wait only for the second.
Status CompactIn(SqlStore& store, const std::string& scope, const CheckpointLimits& limits) {
  const Values key = {scope};
  Chain chain;
  SHEAF_TRY(store.Read([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(const auto row, FindRow(session, kScopeTable, key));
    if (!row.has_value()) return Done();
    SHEAF_ASSIGN(chain, ReadChain(session, *row));
    return Done();
  }));
  return store.Write([&](SqlSession& session) { return Compact(session, scope, chain, limits); });
}

std::function<void(const std::string&)> Compactor(const SqlStorePtr& store,
                                                  const CheckpointLimits& limits,
                                                  Executor* background) {
  return [store, limits, background](const std::string& scope) {
    // A compaction that fails leaves the chain as it is; the next one tries again.
    auto work = [store, scope, limits] { (void)CompactIn(*store, scope, limits); };
    if (background == nullptr || !background->TryPost(work)) work();
  };
}

}  // namespace

Result<SqlPersistence> OpenOver(std::shared_ptr<SqlStore> store, CheckpointLimits limits,
                                Executor* background, Upkeep upkeep) {
  if (upkeep.opening == Opening::kPrepare) {
    SHEAF_TRY(PrepareSchema(*store, upkeep));
  } else {
    SHEAF_TRY(ExpectSchema(*store));
  }
  SqlPersistence opened;
  opened.parts.fencing = std::make_unique<SqlFencing>(store);
  opened.parts.history =
      std::make_unique<SqlHistory>(store, limits, Compactor(store, limits, background));
  opened.parts.services = std::make_unique<SqlRegistry>(store);
  opened.parts.resources = std::make_unique<SqlResources>(store);
  opened.parts.administration = std::make_unique<SqlAdministration>(store, std::move(upkeep));
  opened.store = std::move(store);
  return opened;
}

Result<std::vector<std::string>> Verify(SqlStore& store, const Report& report) {
  std::vector<std::string> differences;
  SHEAF_TRY(store.Read([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(differences, VerifyHistory(session, report));
    return Done();
  }));
  return differences;
}

}  // namespace sheaf::persistence
