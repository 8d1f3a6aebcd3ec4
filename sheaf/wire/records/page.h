// The page of documentation that tables write of themselves.
#pragma once

#include <span>
#include <string>

#include "sheaf/wire/records/property.h"

namespace sheaf::records {

// Markdown: for each table its purpose and a line a column. docs/formats/tables.md is this text.
std::string Page(std::span<const Table* const> tables);

}  // namespace sheaf::records
