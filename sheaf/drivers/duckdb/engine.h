// Where queries get their DuckDB from: an instance for each, opened ahead or used before.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"

namespace sheaf::duckdb {

class Instance;  // One DuckDB, locked up but for what its query will be permitted.

struct EngineOptions {
  int threads = 2;        // Of each instance, the caller's included.
  size_t spares_max = 4;  // Kept while nobody needs them: 2.4 MB each.
  // Called when a Take left no spare, to have Refill called elsewhere.
  std::function<void()> on_empty = {};
};

// An Engine hands out instances. Opening one costs 7-15 ms, so one is opened ahead; and what a
// query left clean (it came to its end, without files and spill) is used again.
//
// Owner: a module; outlives its queries. Threads: every method from any thread. Blocking: Take and
// Refill may open an instance, or wait for one that is being opened.
// Errors: kDependency when DuckDB does not start or is not the version this was built against.
class Engine final {
 public:
  // The only version this works with: DuckDB promises no stable interface.
  static constexpr std::string_view kVersion = "v1.5.6";

  static Result<std::unique_ptr<Engine>> Open(EngineOptions options);
  ~Engine();

  // A spare one, one that is being opened, or one opened now.
  Result<std::unique_ptr<Instance>> Take();
  // Takes back an instance that is clean.
  void Return(std::unique_ptr<Instance> instance);
  // Opens a spare one when there is none; true when it did.
  bool Refill();
  size_t spares() const;
  const EngineOptions& options() const { return options_; }

 private:
  explicit Engine(EngineOptions options);
  // The second tells whether a spare one is left.
  std::pair<std::unique_ptr<Instance>, bool> TakeSpare();

  const EngineOptions options_;
  mutable Mutex mutex_;
  CondVar opened_;
  size_t opening_ SHEAF_GUARDED_BY(mutex_) = 0;  // By Refill, now.
  size_t waiting_ SHEAF_GUARDED_BY(mutex_) = 0;  // For those.
  std::vector<std::unique_ptr<Instance>> spares_ SHEAF_GUARDED_BY(mutex_);
};

// kDependency unless `loaded` is the version that the headers are of.
Status CheckVersion(std::string_view loaded);

}  // namespace sheaf::duckdb
