// What DuckDB's Parquet reader may not look for itself; for this room's own sources only.
//
// It skips row groups by bloom filters, which hold numbers by their bits: 0 and -0 are two there,
// and every NaN is another one, while SQL takes them to be equal. So rows would be missed.
#pragma once

#include "sheaf/drivers/duckdb/foreign.h"

namespace sheaf::duckdb {

// Keeps filters on floating-point columns, and on nested ones that hold such, out of the function
// `read_parquet`: they are applied to what it reads. Those on other columns still go into it.
void KeepFloatsOut(ddb::TableFunction& read_parquet);

}  // namespace sheaf::duckdb
