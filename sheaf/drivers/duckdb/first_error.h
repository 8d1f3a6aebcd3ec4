// Why a query failed, where DuckDB says only that it was interrupted.
#pragma once

#include <memory>
#include <optional>

#include "sheaf/drivers/duckdb/foreign.h"

namespace sheaf::duckdb {

// A task that fails leaves its error in the query's executor and raises the interrupt flag for its
// siblings. The thread that fetches may see that flag first, and DuckDB then reports "Interrupted!"
// in place of the error and drops the executor (github.com/duckdb/duckdb/pull/25902). What dies
// just before an executor, on the fetching thread, is the display of its progress: ours shows
// nothing and takes the error along.
class FirstError {
 public:
  // From now on the queries of `context` leave their first error here. Before any of them starts.
  void Watch(ddb::ClientContext& context);

  // `reported`, or the error of the last query that hides behind a reported interrupt.
  // On the thread that fetches.
  const ddb::ErrorData& Behind(const ddb::ErrorData& reported) const;

 private:
  class Display;

  // Shared with displays, which DuckDB owns.
  const std::shared_ptr<std::optional<ddb::ErrorData>> error_ =
      std::make_shared<std::optional<ddb::ErrorData>>();
};

}  // namespace sheaf::duckdb
