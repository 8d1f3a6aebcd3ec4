// One run: a query on a thread of its own, its results handed over, its limits watched.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/drivers/duckdb/duckdb.h"
#include "sheaf/ports/module/service.h"
#include "sheaf/services/sql/guarded_inputs.h"
#include "sheaf/services/sql/memory_watch.h"
#include "sheaf/services/sql/spec.h"

namespace sheaf::sql {

// What a run is given, besides inputs and context.
struct RunOptions {
  duckdb::QueryLimits limits;
  int64_t rows_max = 0;  // 0 = any number.
  Duration tick = std::chrono::milliseconds(50);
  Duration patience = std::chrono::milliseconds(500);  // With DuckDB, once cancelled.
};

// What the thread that drives DuckDB and the run's own thread share.
//
// Threads: Drive on one, Take on another, Stop from any. Shared by both: whoever is last frees it.
class Session final {
 public:
  Session(duckdb::Engine& engine, Spec spec, std::shared_ptr<GuardedInputs> inputs,
          duckdb::QueryLimits limits)
      : engine_(engine),
        spec_(std::move(spec)),
        inputs_(std::move(inputs)),
        limits_(std::move(limits)) {}

  // Opens the query, runs it to its end, removes what it spilled. Never throws.
  void Drive();

  struct Taken {
    enum class What : uint8_t { kNothingYet, kSchema, kBatch, kEnd } what = What::kNothingYet;
    Schema schema;
    Batch batch;
    Status status;  // With kEnd.
  };
  // Waits at most `wait` for the next thing.
  Taken Take(Duration wait);

  // Ends the query soon; what it still gives is dropped. May be called again and again.
  void Stop();
  bool ended() const;
  double progress() const;    // -1 when not known.
  Bytes memory_used() const;  // 0 when nothing runs.

 private:
  static constexpr size_t kQueueMax = 2;  // Batches of about 2 MiB.

  Status Pump();
  Status Push(Batch batch);

  duckdb::Engine& engine_;  // Borrowed from the module, which waits for its threads.
  const Spec spec_;
  const std::shared_ptr<GuardedInputs> inputs_;  // Shared with the run, which closes it.
  const duckdb::QueryLimits limits_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::unique_ptr<duckdb::Query> query_ SHEAF_GUARDED_BY(mutex_);
  Schema schema_ SHEAF_GUARDED_BY(mutex_);  // Until it is taken.
  std::deque<Batch> queue_ SHEAF_GUARDED_BY(mutex_);
  bool stopped_ SHEAF_GUARDED_BY(mutex_) = false;
  bool ended_ SHEAF_GUARDED_BY(mutex_) = false;
  Status status_ SHEAF_GUARDED_BY(mutex_);
};

struct RunOutcome {
  Status status;
  int64_t rows = 0;
  bool lingers = false;  // The session still drives DuckDB.
  bool memory_cut = false;
};

// The run's own thread: takes from `session` and writes, until its end, the cancel or a limit.
RunOutcome Follow(Session& session, GuardedInputs& inputs, MemoryWatch& watch,
                  module::ResultWriter& writer, const module::RunContext& context,
                  const RunOptions& options);

}  // namespace sheaf::sql
