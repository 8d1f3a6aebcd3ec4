// A database into a file and back.
#pragma once

#include <string>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

// Of one snapshot, whatever version its schema has; see Administration::Backup.
Result<BackupFacts> WriteBackup(SqlStore& store, const Upkeep& upkeep, const std::string& file,
                                const Report& report);
// Into this program's schema; see Administration::Restore.
Result<BackupFacts> RestoreBackup(SqlStore& store, const Upkeep& upkeep, const std::string& file,
                                  Holders holders, const Report& report);

}  // namespace sheaf::persistence
