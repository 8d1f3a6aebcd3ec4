// Arrow readers as tables of DuckDB; for this room's own sources only.
//
// Made of the parts of DuckDB's arrow_scan, without its filter push-down: a producer that ignores
// pushed filters gives wrong answers silently.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/drivers/duckdb/foreign.h"
#include "sheaf/drivers/duckdb/query.h"

namespace sheaf::duckdb {

// What the tables of one query share: whether to go on, and what went wrong first.
//
// Threads: any. Shared: DuckDB's scans may outlive the query's last call by a moment.
class ScanControl final {
 public:
  void Stop() { stopped_.store(true); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void Failed(const arrow::Status& status);
  arrow::Status status() const;

 private:
  std::atomic<bool> stopped_{false};
  mutable Mutex mutex_;
  arrow::Status first_ SHEAF_GUARDED_BY(mutex_);
};

// One table. Never changes once registered.
struct Source {
  Table table;
  std::shared_ptr<ScanControl> control;  // Shared with its sisters and the query.
};

// The names and types that DuckDB gives to the columns of an Arrow schema. Throws.
void ColumnsOf(ddb::ClientContext& context, const arrow::Schema& schema,
               ddb::vector<ddb::LogicalType>& types, ddb::vector<ddb::string>& names);

// The name of the table function; its one argument is the index of the source.
inline constexpr const char* kScanFunction = "sheaf_scan";

// Registers the table function over these sources. Throws DuckDB's exceptions.
void RegisterSources(ddb::Connection& connection,
                     std::vector<std::shared_ptr<const Source>> sources);

}  // namespace sheaf::duckdb
