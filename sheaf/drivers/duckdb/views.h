// Every table of a query as a view of its name; for this room's own sources only.
#pragma once

#include <memory>
#include <vector>

#include "sheaf/drivers/duckdb/instance.h"
#include "sheaf/drivers/duckdb/source.h"

namespace sheaf::duckdb {

// Throws DuckDB's exceptions.
void MakeViews(Instance& instance, std::vector<Table> tables,
               const std::shared_ptr<ScanControl>& control);

}  // namespace sheaf::duckdb
