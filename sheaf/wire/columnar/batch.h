// Record batches: true sizes, gathering of small ones, cutting of large ones.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "sheaf/base/core/bytes.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/time/time.h"

namespace sheaf::columnar {

// Shared: a batch is immutable and lives as long as its last reader, from source to socket.
using Batch = std::shared_ptr<arrow::RecordBatch>;
using Schema = std::shared_ptr<arrow::Schema>;

// The greatest FlightData message in all: Go and Rust clients refuse above 4 MiB, and the frame
// and metadata need room below it.
inline constexpr int64_t kMessageBytesMax = 4'128'768;
// Small batches are gathered up to this size…
inline constexpr Bytes kGatherBytes = 2_MiB;
// …or until the first of them is this old.
inline constexpr Duration kGatherWait = std::chrono::milliseconds(20);

// Bytes that the batch's rows really need: of a slice only its share of each buffer, each shared
// dictionary once. What IPC would write, without padding and metadata, within a few percent.
Bytes TrueBytes(const arrow::RecordBatch& batch);

// The bytes of all buffers that the batch keeps alive, each once, whole even if only a slice of
// it is seen: what the ledger is charged.
Bytes HeldBytes(const arrow::RecordBatch& batch);

// `batch` cut into slices whose IPC message stays within `message_bytes`; one row that is larger
// travels alone. Slices share the batch's buffers, except where IPC would write what they do not
// see (views, list views, dense unions, offsets of nothing): that is copied. A batch of no rows
// gives one.
Result<std::vector<Batch>> CutToLimit(const Batch& batch, int64_t message_bytes = kMessageBytesMax);

// Gathers small batches into larger ones: the one permitted copy. Batches of half the target or
// more pass by untouched (after what was gathered before them: order is kept). Batches whose
// dictionaries differ are not merged.
//
// Owner: one writer. Threads: one at a time. Blocking: never.
class Gatherer {
 public:
  explicit Gatherer(Bytes target = kGatherBytes) : target_(target) {}

  // Takes a batch; returns what became ready, in order (often nothing).
  Result<std::vector<Batch>> Add(Batch batch, Instant now);
  // What is held, when its first batch came kGatherWait or more before `now`; else nothing.
  Result<std::vector<Batch>> Due(Instant now);
  // What is held, whatever its age.
  Result<std::vector<Batch>> Flush();
  bool empty() const { return held_.empty(); }

 private:
  const Bytes target_;
  std::vector<Batch> held_;
  Bytes held_bytes_{};
  Instant since_{};
};

// kInvalid naming the column when a batch from outside is not well-formed (ValidateFull).
Status ValidateForeign(const arrow::RecordBatch& batch);

}  // namespace sheaf::columnar

namespace sheaf {
using columnar::Batch;
using columnar::Schema;
}  // namespace sheaf
