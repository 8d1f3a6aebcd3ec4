// A table as an Arrow schema: what a flight of its rows looks like.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "sheaf/wire/records/property.h"

namespace sheaf::records {

// Fields are named by column; metadata holds `pname` and, for columns of the key, `key` with its
// place from 1. Private columns are left out. A UUID is 16 bytes with metadata `type` = uuid. The
// schema's metadata holds `table`.
std::shared_ptr<arrow::Schema> ArrowSchema(const Table& table);

}  // namespace sheaf::records
