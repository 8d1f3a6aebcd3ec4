// What the rows of persistence share: sizes, percentiles, jobs that are over, databases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "sheaf/adapters/persistence/persistence.h"
#include "sheaf/base/core/check.h"
#include "sheaf/drivers/sqlite/sqlite.h"
#include "testkit/temporary.h"

namespace bench {

// A few in a smoke run; all of what the issue says with SHEAF_BENCH_SIZE=full.
size_t Sized(size_t smoke, size_t usual, size_t full);

void Sure(const sheaf::Status& status);
template <typename T>
T Sure(sheaf::Result<T> result) {
  if (!result.ok()) Sure(sheaf::Status(result.error()));
  return *std::move(result);
}

// Seconds that `count` calls took at most, but for the slowest hundredth.
double Percentile99(std::vector<double> seconds);
double Percentile99(size_t count, const std::function<void(size_t)>& call);

// A job that is over: a document of about 8 KiB that does not compress well, one process.
sheaf::persistence::Work FinishedJob(int64_t id, size_t detail_bytes = 7'400);

// Jobs with ids that were never given before.
class Works final {
 public:
  std::vector<sheaf::persistence::Work> Next(size_t count);

 private:
  int64_t last_ = 0;
};
// What is written of a job: its document and its summaries.
std::vector<sheaf::records::Row> RowsOf(const sheaf::persistence::Work& work);
// Jobs a second, saved one by one by so many at once; the epochs go round.
double SaveRate(sheaf::persistence::WorkHistory& history,
                std::span<const sheaf::persistence::Epoch> epochs,
                const std::vector<sheaf::persistence::Work>& works, size_t writers);

// A fresh database with Sheaf on it, and a node that may write.
struct Open {
  explicit Open(const std::string& path);
  sheaf::persistence::SqlPersistence opened;
  sheaf::persistence::Epoch epoch;
  sheaf::persistence::WorkHistory& history() { return *opened.parts.history; }
};

// The same file in SQLite alone, with Sheaf's own settings.
std::unique_ptr<sheaf::sqlite::Database> OpenBare(const std::string& path);

void CheckpointRows();
void RestoreRow();
void FinishRows();
void PostgresRows();
void HeartbeatRow();
void PurgeRow();
void PageRows();

}  // namespace bench
