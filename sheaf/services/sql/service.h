// The service `sql`: plans are parsed text, runs are queries of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/drivers/duckdb/duckdb.h"
#include "sheaf/ports/module/host.h"
#include "sheaf/ports/module/service.h"
#include "sheaf/services/sql/memory_watch.h"
#include "sheaf/services/sql/probe.h"

namespace sheaf::sql {

struct SqlOptions {
  Bytes memory_max = 1_GiB;       // Of one run.
  int threads = 2;                // Of one run.
  Bytes temp_bytes_max = 10_GiB;  // What one run may spill.
  int64_t rows_max = 0;           // Of one result; 0 = any number.
  size_t spares_max = 1;          // Instances opened ahead.
  Bytes memory_slack = 1_GiB;     // Growth beside the runs' limits before one is ended.
  size_t runs_max = 256;          // Threads that drive DuckDB; admission allows far fewer.
  size_t lingering_max = 8;       // Cancelled queries that do not end; above it runs are refused.

  // The module's settings; kInvalid naming the key.
  static Result<SqlOptions> FromHost(const module::Host& host);
};

// Owner: the module. As ports/module/service.h says.
class SqlService final : public module::Service {
 public:
  // The spill directory is below `own_path` (empty = none; then nothing spills).
  static Result<std::unique_ptr<SqlService>> Open(const SqlOptions& options, Metrics& metrics,
                                                  std::string own_path);
  ~SqlService() override;  // Waits for every query, lingering ones too.

  std::string_view name() const override { return "sql"; }
  Result<module::Plan> MakePlan(const module::PlanRequest& request) override;
  Status Run(const module::Plan& plan, const std::map<std::string, module::RunInput>& inputs,
             module::ResultWriter& writer, const module::RunContext& context) override;

  size_t lingering() const { return lingering_.load(); }
  const SqlOptions& options() const { return options_; }

 private:
  SqlService(const SqlOptions& options, Metrics& metrics, std::string own_path);

  duckdb::QueryLimits LimitsOf(const module::RunContext& context);
  void RefillLater();

  const SqlOptions options_;
  const std::string own_path_;
  Probe probe_;
  MemoryWatch watch_;
  std::unique_ptr<duckdb::Engine> engine_;
  std::atomic<size_t> lingering_{0};
  std::atomic<int64_t> running_{0};
  std::atomic<uint64_t> spill_next_{0};
  Executor drivers_;  // Last: joined before anything above dies.
};

}  // namespace sheaf::sql
