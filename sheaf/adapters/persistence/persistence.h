// The door of adapters/persistence: where Sheaf's memory can be kept.
#pragma once

#include "sheaf/adapters/persistence/file_persistence.h"
#include "sheaf/adapters/persistence/memory_persistence.h"
#include "sheaf/adapters/persistence/null_persistence.h"
#include "sheaf/adapters/persistence/postgres_persistence.h"
#include "sheaf/adapters/persistence/postgres_roles.h"
#include "sheaf/adapters/persistence/spooled_persistence.h"
#include "sheaf/adapters/persistence/sql_look.h"
#include "sheaf/adapters/persistence/sql_schema.h"
#include "sheaf/adapters/persistence/sqlite_persistence.h"
