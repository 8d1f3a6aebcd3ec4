// Where a run's result goes: a writer of the store, or a pipe for a single-use result.
#pragma once

#include <memory>
#include <optional>

#include "sheaf/host/tasks/engine.h"
#include "sheaf/host/tasks/pipe_flight.h"
#include "sheaf/ports/module/service.h"

namespace sheaf::tasks {

// Owner: the thread that executes the run. Threads: as ResultWriter.
class RunWriter final : public module::ResultWriter {
 public:
  RunWriter(Engine& engine, RunPtr run) : engine_(engine), run_(std::move(run)) {}

  Status Begin(Schema schema, uint32_t partitions) override;
  Status Write(uint32_t partition, Batch batch) override;
  bool begun() const { return writer_ != nullptr || pipe_ != nullptr; }

  // Exactly one of these two ends what was begun.
  Result<std::vector<Result<store::RecordPtr>>> Commit(std::vector<store::CommitTarget> targets,
                                                       std::function<Status()> fence);
  void Abort(const Error& reason);

 private:
  Engine& engine_;  // Borrowed: it waits for its runs.
  const RunPtr run_;
  std::unique_ptr<store::FlightWriter> writer_;
  std::shared_ptr<PipeFlight> pipe_;  // Shared with its reader.
};

}  // namespace sheaf::tasks
