// A table as an Arrow schema: what a flight of its rows looks like.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "sheaf/wire/records/property.h"

namespace sheaf::records {

// An application sees the public columns; all are for who keeps the database: a backup.
enum class Columns : uint8_t { kPublic, kAll };

// Fields are named by column; metadata holds `pname` and, for columns of the key, `key` with its
// place from 1. A UUID is 16 bytes with metadata `type` = uuid. The schema's metadata holds
// `table`.
std::shared_ptr<arrow::Schema> ArrowSchema(const Table& table, Columns which = Columns::kPublic);

}  // namespace sheaf::records
