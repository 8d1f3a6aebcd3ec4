// Some columns of a stream, in the order asked for.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"

namespace sheaf::flights {

// The reader itself when `columns` is empty. kInvalid naming a column that is absent or there
// twice.
Result<std::shared_ptr<arrow::RecordBatchReader>> Project(
    std::shared_ptr<arrow::RecordBatchReader> reader, const std::vector<std::string>& columns);

}  // namespace sheaf::flights
