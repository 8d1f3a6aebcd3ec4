// A stream of batches as a table, CSV, JSON, Arrow or Parquet, on standard output or in a file.
#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <string>

#include "sheaf/base/core/core.h"

namespace sheaf::app {

enum class Format : uint8_t { kTable, kCsv, kJson, kNdjson, kArrow, kParquet, kNone };
inline constexpr const char* kFormatNames = "table|csv|json|ndjson|arrow|parquet|none";

// By name; empty text decides by the file's suffix, and a table when there is no file.
Result<Format> ParseFormat(const std::string& name, const std::string& file);

struct OutputOptions {
  Format format = Format::kTable;
  std::string file;                           // Empty or "-" = standard output.
  int64_t rows_max = 100;                     // Of a table: what is shown of it.
  size_t width = 0;                           // Of a table.
  std::function<void(int64_t rows)> on_rows;  // Now and then. May be null.
};

// Reads to the end. A file appears whole under its name, or not at all. Returns the rows.
// A table is printed when all is read; `footer` gives its last line, from the rows in all.
Result<int64_t> WriteOutput(arrow::RecordBatchReader& reader, const OutputOptions& options,
                            const std::function<std::string(int64_t rows)>& footer);

}  // namespace sheaf::app
