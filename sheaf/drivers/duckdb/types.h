// Which types pass between Arrow and DuckDB, and which are refused by name.
#pragma once

#include <arrow/type_fwd.h>

#include <string>
#include <vector>

#include "sheaf/drivers/duckdb/foreign.h"
#include "sheaf/drivers/duckdb/query.h"

namespace sheaf::duckdb {

// kUnsupported naming the column of the result that Arrow cannot carry.
Status CheckResult(const ddb::vector<ddb::LogicalType>& types,
                   const ddb::vector<ddb::string>& names);

// The columns of whose type some values do not fit into Arrow's: to be looked at, batch by batch.
std::vector<int> ColumnsToCheck(const ddb::vector<ddb::LogicalType>& types);
// kFailed naming the first column of `columns` with a value that does not fit.
Status CheckValues(const arrow::RecordBatch& batch, const std::vector<int>& columns);

}  // namespace sheaf::duckdb
