// Where queries get their DuckDB from: an instance each, opened ahead of time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"

namespace sheaf::duckdb {

class Instance;  // One DuckDB, locked up but for what its query will be permitted.

struct EngineOptions {
  int threads = 2;                     // Of each instance, the caller's included.
  size_t spares_max = 1;               // Opened ahead: opening costs 7-15 ms and 2.4 MB.
  std::function<void()> on_take = {};  // Called after each Take, to have Refill called elsewhere.
};

// An Engine hands out instances.
//
// Owner: a module. Threads: every method from any thread. Blocking: Take and Refill may open an
// instance (7-15 ms), or wait for one that is being opened.
// Errors: kDependency when DuckDB does not start or is not the version this was built against.
class Engine final {
 public:
  // The only version this works with: DuckDB promises no stable interface.
  static constexpr std::string_view kVersion = "v1.5.6";

  static Result<std::unique_ptr<Engine>> Open(EngineOptions options);
  ~Engine();

  // A spare one, one that is being opened, or one opened now.
  Result<std::unique_ptr<Instance>> Take();
  // Opens spare ones until there are enough; true when it opened any.
  bool Refill();
  size_t spares() const;
  const EngineOptions& options() const { return options_; }

 private:
  explicit Engine(EngineOptions options);

  std::unique_ptr<Instance> TakeSpare();

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
