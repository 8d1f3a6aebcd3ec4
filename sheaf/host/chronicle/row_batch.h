// Rows as a record batch, without private columns.
#pragma once

#include <span>

#include "sheaf/wire/columnar/columnar.h"
#include "sheaf/wire/records/row.h"

namespace sheaf::chronicle {

// All rows are of the table; the batch has the schema of records::ArrowSchema.
Result<Batch> BatchOf(const records::Table& table, const Schema& schema,
                      std::span<const records::Row> rows);

}  // namespace sheaf::chronicle
