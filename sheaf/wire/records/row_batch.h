// Rows as a record batch, and back.
#pragma once

#include <span>
#include <vector>

#include "sheaf/wire/columnar/columnar.h"
#include "sheaf/wire/records/arrow_schema.h"
#include "sheaf/wire/records/row.h"

namespace sheaf::records {

// All rows are of the table; the batch has the schema of ArrowSchema(table, which).
Result<Batch> BatchOf(const Table& table, std::span<const Row> rows,
                      Columns which = Columns::kPublic);
// The same, with a schema that was made once.
Result<Batch> BatchOf(const Table& table, const Schema& schema, std::span<const Row> rows,
                      Columns which = Columns::kPublic);

// Rows of the table from a batch whose columns are found by name, of whatever origin: a column of
// the table that it lacks is absent. kCorrupt names a column that the table has not, one of another
// type, a batch that is malformed, or a row that does not fit.
Result<std::vector<Row>> RowsOf(const Table& table, const arrow::RecordBatch& batch);

}  // namespace sheaf::records
