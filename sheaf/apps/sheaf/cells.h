// Values of Arrow arrays as text: for tables, and as JSON.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sheaf::app {

// Appends the value as JSON: integers and decimals as numbers, exact; NaN and infinities as null;
// times in ISO 8601; binary in hexadecimal; maps with text keys as objects.
void AppendJson(const arrow::Array& array, int64_t row, std::string& out);
// The value for people and CSV: text as it is, nested values as JSON; nothing for null.
std::optional<std::string> CellText(const arrow::Array& array, int64_t row);

bool IsNumber(const arrow::DataType& type);  // Right-aligned in tables.

}  // namespace sheaf::app
