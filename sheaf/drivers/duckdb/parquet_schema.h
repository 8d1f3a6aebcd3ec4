// What Arrow takes Parquet files to be: the types that DuckDB's reader is then held to.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

namespace sheaf::duckdb {

// The Arrow schema of one file, from its footer; with `columns` these alone, in that order.
// Blocking: reads the footer. Never throws.
arrow::Result<std::shared_ptr<arrow::Schema>> ParquetSchema(
    const std::string& file, const std::vector<std::string>& columns);

}  // namespace sheaf::duckdb
