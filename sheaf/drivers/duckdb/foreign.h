// DuckDB's headers and what its exceptions become; for this room's own sources only.
#pragma once

#include <optional>
#include <string_view>

#include "duckdb.hpp"
#include "duckdb/common/error_data.hpp"
#include "sheaf/base/core/core.h"
#include "sheaf/drivers/duckdb/statement.h"

namespace sheaf::duckdb {

namespace ddb = ::duckdb;

// DuckDB's tree of one statement, gated.
struct Parsed {
  ddb::unique_ptr<ddb::SQLStatement> statement;
};

// "Binder Error: …" with a caret; never a stack trace.
Error FromDuckDb(const ddb::ErrorData& data, std::string_view sql);
Error FromDuckDb(const std::exception& thrown, std::string_view sql);

}  // namespace sheaf::duckdb
