// Everything in one SQLite file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/base/async/executor.h"
#include "sheaf/drivers/files/file_system.h"
#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

struct SqliteOptions {
  std::string path;
  std::string vfs;                     // Empty = SQLite's own.
  files::FileSystem* files = nullptr;  // Null: the machine's; else outlives what is opened.
  // Shared: other processes may have it open too, and readers do not wait for writers. Exclusive
  // is for file systems without shared memory.
  enum class Sharing : uint8_t { kShared, kExclusive } sharing = Sharing::kShared;
  CheckpointLimits checkpoint;
  size_t group_max = 64;           // Writes that share a transaction, and so a sync.
  Executor* background = nullptr;  // See OpenOver; outlives what is opened.
  Opening opening = Opening::kPrepare;
  Clock* clock = nullptr;          // Null: the machine's; else outlives what is opened.
  OlderSchema older = OlderSchema::kMigrated;  // The backup before lies beside the database.
};

// Errors: those of drivers/sqlite, and kUnsupported for a schema of later programs, which names
// both versions, or for one that cannot be migrated.
Result<SqlPersistence> OpenSqlite(SqliteOptions options);

}  // namespace sheaf::persistence
