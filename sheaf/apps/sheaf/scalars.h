// Values without nesting as text, without a detour through scalars: millions of them are written.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sheaf::app {

// Appends a value that is not null: booleans, integers, decimals, half floats, dates, times and
// intervals as Arrow prints them. Other types take the slow way.
void AppendScalar(const arrow::Array& array, int64_t row, std::string& out);

// Quoted and escaped as JSON; bytes that are no UTF-8 become U+FFFD.
void AppendJsonText(std::string_view text, std::string& out);

// As a field of CSV: quoted only when it must be, and when it is empty (nothing is null).
void AppendCsvText(std::string_view text, std::string& out);

}  // namespace sheaf::app
