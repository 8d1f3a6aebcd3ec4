// One DuckDB for one query; for this room's own sources only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sheaf/drivers/duckdb/foreign.h"
#include "sheaf/drivers/duckdb/jail.h"
#include "sheaf/drivers/duckdb/query.h"

namespace sheaf::duckdb {

// An in-memory DuckDB whose catalog has lost every function that could leave it.
//
// Owner: the engine, then one query. Threads: one at a time, but for DuckDB's own.
// Its methods throw DuckDB's exceptions; callers stand at the room's door and catch.
class Instance final {
 public:
  explicit Instance(int threads);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Limits, permitted files, spill directory. Once, before Lock.
  void Configure(const QueryLimits& limits, const std::vector<std::string>& files);
  // After this nothing can be changed any more, not even by us.
  void Lock();

  ddb::Connection& connection() { return *connection_; }
  ddb::DatabaseInstance& database() { return *database_->instance; }
  // Runs a statement of our own; throws when it fails.
  void Own(const std::string& sql);

 private:
  void Set(const char* name, const ddb::Value& value);

  Jail* jail_ = nullptr;  // Borrowed from the database, which owns its file system.
  std::unique_ptr<ddb::DuckDB> database_;
  std::unique_ptr<ddb::Connection> connection_;
};

}  // namespace sheaf::duckdb
