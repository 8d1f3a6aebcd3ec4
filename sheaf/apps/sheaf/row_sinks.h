// One writer of batches for each format.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>

#include <memory>
#include <string>

#include "sheaf/apps/sheaf/output.h"

namespace sheaf::app {

class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual arrow::Status Write(const arrow::RecordBatch& batch) = 0;
  virtual arrow::Status End(const std::string& footer) = 0;  // Tables alone have a footer.
};

// `piped` Arrow is a stream, else a file that can be read from its end.
Result<std::unique_ptr<RowSink>> MakeRowSink(const OutputOptions& options,
                                             std::shared_ptr<arrow::io::OutputStream> out,
                                             bool piped, std::shared_ptr<arrow::Schema> schema);

}  // namespace sheaf::app
