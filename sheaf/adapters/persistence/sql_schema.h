// The schema of a database: created, known again, and brought up to this program's.
#pragma once

#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/adapters/persistence/sql_versions.h"

namespace sheaf::persistence {

// Until the transaction is over, nobody else who asked the same goes on.
Status Alone(SqlSession& session);

// 0: nothing of Sheaf's is there. kUnsupported: it is of a later program, both versions are named.
Result<int64_t> PresentVersion(SqlSession& session);

// At the opening: an empty database is created, in one transaction; an older schema is migrated,
// refused or left, as `upkeep` says. kInvalid: a table of others has a name of ours.
Status PrepareSchema(SqlStore& store, const Upkeep& upkeep);

// ScopeHeld if a scope is held; fenced: its epoch ends. Nobody acquires one before the transaction
// is over.
Status FreeScopes(SqlSession& session, Holders holders);

Result<MigrationPlan> PlanSchema(SqlStore& store);
// A backup before each step of a schema that holds something, then the step in one transaction.
Result<MigrationPlan> MigrateSchema(SqlStore& store, const Upkeep& upkeep, Holders holders,
                                    const Report& report);

}  // namespace sheaf::persistence
