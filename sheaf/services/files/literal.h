// A JSON value of a filter as a typed scalar: exact, or an error that names column, type, value.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string_view>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::files {

// Integers and decimals exactly or not at all; floating point rounded to the column's width;
// dates, times and timestamps from ISO 8601 strings, with a zone exactly when the column has one.
// kInvalid when the value does not fit, kUnsupported when the type cannot be compared.
Result<std::shared_ptr<arrow::Scalar>> MakeLiteral(const Json& value,
                                                   const std::shared_ptr<arrow::DataType>& type,
                                                   std::string_view column, std::string_view where);

}  // namespace sheaf::files
