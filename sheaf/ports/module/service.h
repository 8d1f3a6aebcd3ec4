// The service door: what a data service gives its host. Services never see sinks, reuse or
// tickets; those are the task engine's.
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/ports/store/store.h"
#include "sheaf/wire/columnar/columnar.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::module {

// Local Parquet files, when that is all a plan is: a consumer may read them itself ("fused").
// Paths are absolute, resolved and checked against the roots.
struct LocalParquet {
  std::vector<std::string> files;
  std::vector<std::string> columns;  // Empty = all, in file order.
};

struct Estimate {
  int64_t rows = -1;  // -1 = unknown.
  int64_t bytes = -1;
};

// What a service remembers between Plan and Run; its own type behind it.
struct PlanState {
  virtual ~PlanState() = default;
};

struct Plan {
  Schema schema;                            // nullptr when it is not known without running.
  std::vector<store::SourceToken> sources;  // Of what this node itself reads; not of its inputs.
  Estimate estimate;
  std::optional<LocalParquet> parquet;
  bool fuses_parquet = false;              // It can take an input as LocalParquet.
  std::shared_ptr<const PlanState> state;  // Shared: Explain may keep a plan after the run.
};

struct PlanInput {
  Schema schema;  // nullptr when not known.
  Estimate estimate;
  std::optional<LocalParquet> parquet;  // Set when the engine would fuse it.
};

struct PlanRequest {
  const Json& spec;  // Borrowed for the call.
  std::map<std::string, PlanInput> inputs;
  std::string principal;
  // kSchema: the schema is wanted even if it costs (GetSchema, Explain); kRun: as cheap as can be.
  enum class For : uint8_t { kRun, kSchema } purpose = For::kRun;
};

// One input of a run. Every input can be scanned any number of times, also at once.
struct RunInput {
  Schema schema;
  int64_t rows = -1;                    // -1 while it is still being written.
  std::optional<LocalParquet> parquet;  // Fused: no reader, read these files.
  // A scan from the first batch; its reader waits for a writer and obeys the run's cancel.
  std::function<Result<std::shared_ptr<arrow::RecordBatchReader>>()> open;
};

// Where a run's result goes. Begin once, then batches; the engine ends it.
//
// Threads: Write to different partitions may run at once. Blocking: Write may wait for the disk
// or, for single-use results, for the reader. An error ends the run: return it.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual Status Begin(Schema schema, uint32_t partitions) = 0;
  virtual Status Write(uint32_t partition, Batch batch) = 0;
};

// What a run may ask of its host while it runs.
struct RunContext {
  TaskId task;
  std::string principal;
  CancelToken cancel;  // Must be obeyed within a second.
  Deadline deadline;
  std::optional<Bytes> memory_max;
  enum class Disk : uint8_t { kAllowed, kForbidden } disk = Disk::kAllowed;  // May it spill?
  std::function<void(double)> progress;                                      // 0 to 1; never null.
  std::shared_ptr<Account> account;  // Charge here what is held.
};

// Owner: its module. Threads: every method from any thread at once. Blocking: Plan may stat
// files, never reads data; Run runs to the end on the calling thread.
// Errors: kInvalid (the spec: says where), kForbidden, kNotFound, kFailed (its own failure, with
//   position), kExhausted, kDependency, kCorrupt, and the token's reason when cancelled.
class Service {
 public:
  virtual ~Service() = default;
  virtual std::string_view name() const = 0;
  virtual Result<Plan> MakePlan(const PlanRequest& request) = 0;
  virtual Status Run(const Plan& plan, const std::map<std::string, RunInput>& inputs,
                     ResultWriter& writer, const RunContext& context) = 0;
  // The service as a target of DoPut; kUnsupported unless it is one.
  virtual Result<Json> Put(const Json& spec, arrow::RecordBatchReader& reader,
                           const RunContext& context);
};

}  // namespace sheaf::module
