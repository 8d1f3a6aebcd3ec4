// One DuckDB, for one query at a time; for this room's own sources only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sheaf/drivers/duckdb/foreign.h"
#include "sheaf/drivers/duckdb/jail.h"
#include "sheaf/drivers/duckdb/query.h"
#include "sheaf/drivers/duckdb/source.h"

namespace sheaf::duckdb {

// An in-memory DuckDB whose catalog has lost every function that could leave it, whose file system
// shows what was permitted and nothing else, and whose configuration is locked.
//
// Owner: the engine, then one query at a time. Threads: one at a time, but for DuckDB's own.
// Its methods throw DuckDB's exceptions; callers stand at the room's door and catch.
class Instance final {
 public:
  explicit Instance(int threads);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // A connection of its own for the next query, its limits, the files it may read.
  void Begin(const QueryLimits& limits, const std::vector<std::string>& files);
  // Takes all of it back. True when nothing stays behind: then another query may follow.
  bool End();

  ddb::Connection& connection() { return *connection_; }
  ddb::DatabaseInstance& database() { return *database_->instance; }
  SourcesInfo& sources() { return *sources_; }
  // Runs a statement of our own; throws when it fails.
  void Own(const std::string& sql);

 private:
  static constexpr int kUsesMax = 1'000;  // Whatever may grow unseen ends after so many queries.

  void Set(const char* name, const ddb::Value& value);

  Jail* jail_ = nullptr;                  // Borrowed from the database, which owns its file system.
  ddb::shared_ptr<SourcesInfo> sources_;  // Shared with the catalog's table function.
  std::unique_ptr<ddb::DuckDB> database_;
  std::unique_ptr<ddb::Connection> connection_;
  bool read_files_ = false;
  int uses_ = 0;
};

}  // namespace sheaf::duckdb
