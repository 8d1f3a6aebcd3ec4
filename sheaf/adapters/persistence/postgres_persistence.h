// Everything in a PostgreSQL database, in the first schema of the connection's search path.
#pragma once

#include <cstddef>
#include <string>

#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/drivers/postgres/connection.h"

namespace sheaf::persistence {

struct PostgresOptions {
  postgres::ConnectOptions connect;
  size_t sessions_max = 8;                           // At once; who comes later waits…
  Duration session_wait = std::chrono::seconds(30);  // …this long: kBackpressure.
  CheckpointLimits checkpoint;
  Executor* background = nullptr;  // See OpenOver; outlives what is opened.
  Opening opening = Opening::kPrepare;
  OlderSchema older = OlderSchema::kRefused;
  // Backups before a migration go here; empty: the current directory.
  std::string backup_directory;
};

// Errors: those of drivers/postgres, and kUnsupported for a schema of later programs, which names
// both versions, or for one that cannot be migrated. A text that holds a NUL is kInvalid.
Result<SqlPersistence> OpenPostgres(PostgresOptions options, postgres::Surroundings surroundings);

}  // namespace sheaf::persistence
