// The inputs of one run, taken away again when the run ends, whoever still wants to read.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/drivers/duckdb/duckdb.h"
#include "sheaf/ports/module/service.h"

namespace sheaf::sql {

// A run borrows its inputs until it returns, and a cancelled query may go on for a while after
// that (DuckDB looks up between vectors of 2,048 rows). So readers live here, not in DuckDB.
//
// Owner: shared by the run and its query. Threads: any. Blocking: Close waits for reads in flight.
class GuardedInputs final : public std::enable_shared_from_this<GuardedInputs> {
 public:
  explicit GuardedInputs(const std::map<std::string, module::RunInput>& inputs);

  // What DuckDB gets; after Close every call on it fails and touches no input.
  std::vector<duckdb::Table> Tables();
  void Close();
  // The error with the names of the files that DuckDB reads itself, when it has no position in the
  // statement and may be theirs.
  Error Placed(Error error);

 private:
  class Reader;
  using Readers = std::map<uint64_t, std::shared_ptr<arrow::RecordBatchReader>>;

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Open(const std::string& name);
  arrow::Status Read(uint64_t id, std::shared_ptr<arrow::RecordBatch>* out);
  void Drop(uint64_t id);

  Gate gate_;
  Mutex mutex_;
  std::map<std::string, module::RunInput> inputs_;  // Emptied by Close, when nobody is inside.
  Readers readers_ SHEAF_GUARDED_BY(mutex_);
  uint64_t next_id_ SHEAF_GUARDED_BY(mutex_) = 1;
};

}  // namespace sheaf::sql
