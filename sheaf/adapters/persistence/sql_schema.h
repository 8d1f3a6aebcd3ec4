// The schema of a database: created, known again, and brought up to this program's.
#pragma once

#include <vector>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

inline constexpr int64_t kSchemaVersion = 1;

// Creates what is missing and adds columns and indexes, in one transaction. kUnsupported: the
// schema is of a later program (both versions are named), or there is no way to this one's.
Status PrepareSchema(SqlStore& store);

}  // namespace sheaf::persistence
