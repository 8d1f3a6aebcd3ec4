// The door of drivers/duckdb: the only room that knows DuckDB exists.
//
// A Statement is text that passed the gate (one SELECT, or EXPLAIN of one); a Query runs one over
// tables that are Arrow readers or Parquet files, in an instance of its own that can reach
// nothing else. No exception and no DuckDB type leaves this room.
#pragma once

#include "sheaf/drivers/duckdb/engine.h"
#include "sheaf/drivers/duckdb/query.h"
#include "sheaf/drivers/duckdb/statement.h"
