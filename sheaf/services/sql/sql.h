// The door of services/sql: the service `sql`, SELECTs over flights.
#pragma once

#include <memory>

#include "sheaf/ports/module/module.h"

namespace sheaf::sql {

// Settings (keys of module `sql`): memory, threads, temp_bytes_max, rows_max, spares, memory_slack.
std::unique_ptr<module::Module> MakeSqlModule();

}  // namespace sheaf::sql
