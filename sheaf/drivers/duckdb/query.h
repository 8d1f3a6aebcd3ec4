// One statement over tables that are Arrow readers or Parquet files, read batch by batch.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/drivers/duckdb/engine.h"
#include "sheaf/drivers/duckdb/statement.h"

namespace sheaf::duckdb {

// A table by name. With `files` it is read by DuckDB's own Parquet reader, else through `open`.
struct Table {
  std::string name;
  std::shared_ptr<arrow::Schema> schema;  // Of files: nullptr = what Arrow would read.
  int64_t rows = -1;                      // -1 = not known.
  // A scan from the first batch, any number at once. Called from DuckDB's threads.
  std::function<arrow::Result<std::shared_ptr<arrow::RecordBatchReader>>()> open;
  std::vector<std::string> files;
  std::vector<std::string> columns;  // Of the files; empty = all.
};

struct QueryLimits {
  Bytes memory_max = 1_GiB;     // What DuckDB counts: not the strings inside expressions.
  std::string spill_directory;  // Empty = never spill. Made on first use; the caller removes it.
  Bytes spill_max = 10_GiB;
};

// The kinds of columns that DuckDB cannot take; kUnsupported naming table, column and type.
Status CheckTable(const Table& table);

// A Query is bound when it is made and runs while it is read.
//
// Owner: one caller. Threads: Next one at a time; Interrupt, progress, memory and source_status
// from any thread. Blocking: Open binds and plans (milliseconds); Next runs the query. Its death
// waits for what DuckDB is doing; call Interrupt before.
// Errors: kFailed with a position (SQL, values), kForbidden, kUnsupported (types), kExhausted
//   (memory, spill), kCancelled (Interrupt), kDependency (DuckDB does not start). When a table's
//   reader failed, source_status says what it said.
class Query final {
 public:
  // Runs: tables are opened when the query comes to them.
  static Result<std::unique_ptr<Query>> Open(Engine& engine, const Statement& statement,
                                             const Values& values, std::vector<Table> tables,
                                             const QueryLimits& limits);
  // Only the schema of the result: opens no table, but the footers of Parquet files.
  static Result<std::shared_ptr<arrow::Schema>> Bind(Engine& engine, const Statement& statement,
                                                     const Values& values,
                                                     std::vector<Table> tables,
                                                     const QueryLimits& limits);
  ~Query();

  const std::shared_ptr<arrow::Schema>& schema() const;
  // The next batch of 1 row to 122,880, about 2 MiB; nullptr at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

  // Ends Next soon, also one that has not begun. May be called again.
  void Interrupt();
  double progress() const;    // 0 to 1; -1 when not known.
  Bytes memory_used() const;  // What DuckDB counts now.
  arrow::Status source_status() const;

 private:
  class Impl;
  explicit Query(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sheaf::duckdb
