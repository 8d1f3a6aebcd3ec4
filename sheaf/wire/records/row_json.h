// Rows as JSON objects by the application's names.
//
// Absent values and private columns are left out. A blob is an object {"base64": "…"}, a UUID its
// text, everything else JSON's own. The way back is strict: an unknown name, a wrong type or a
// number out of range is kInvalid and names its place.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/wire/command/json.h"
#include "sheaf/wire/records/row.h"

namespace sheaf::records {

Json ToJson(const Row& row);
Result<Row> RowFromJson(const Table& table, const Json& object);

std::string ToBase64(std::string_view bytes);
Result<std::string> FromBase64(std::string_view text);

// One column of a table: name, type, key, index, for tools that draw tables.
Json Describe(const Table& table);

}  // namespace sheaf::records
