// Files on this machine as one stream of batches, for `put`.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"

namespace sheaf::app {

struct UploadOptions {
  std::string format;     // csv|tsv|json|parquet|arrow; empty = by suffix.
  char delimiter = '\0';  // Of CSV; 0 = a comma, a tab in .tsv.
  bool header = true;     // Of CSV: the first line names the columns.
  CancelToken cancel;     // Ends waiting for standard input; the error is its reason.
};

// The files one after another, "-" is standard input. JSON is one object a line; .gz, .zst and
// .bz2 are unpacked for text formats. kInvalid names the file: no format, unreadable, or another
// schema than the first; the same comes out of the reader when it shows only later.
Result<std::shared_ptr<arrow::RecordBatchReader>> OpenFiles(const std::vector<std::string>& files,
                                                            const UploadOptions& options);

}  // namespace sheaf::app
