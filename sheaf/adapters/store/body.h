// The data of one flight: its partitions, its state, and who looks at it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sheaf/adapters/store/context.h"
#include "sheaf/adapters/store/partition.h"
#include "sheaf/base/async/async.h"
#include "sheaf/ports/store/flight.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::store {

// Who names a body and who looks at it: the facts of eviction.
//
// Threads: any; the naming is changed by the index's leader alone.
struct Standing {
  std::atomic<int32_t> handles{0};
  std::atomic<int32_t> readers{0};
  std::atomic<int32_t> paths{0};       // Committed paths that name it.
  std::atomic<int32_t> pins{0};        // Of those, pinned ones…
  std::atomic<int32_t> uploads{0};     // …and ones that no command can remake.
  std::atomic<int32_t> index_rows{0};  // …and ones in the index on disk: its files are kept.
  std::atomic<bool> was_named{false};
  std::atomic<bool> read_to_end{false};
  std::atomic<bool> damaged{false};
  std::atomic<bool> spill_failed{false};
  std::atomic<int64_t> last_used_nanos{0};
};

// Owner: shared by the index, the writer and every handle; the last one to let go removes what no
// index names. Threads: any.
class Body final : public std::enable_shared_from_this<Body> {
 public:
  struct Options {
    uint64_t generation = 0;
    Schema schema;
    uint32_t partitions = 1;
    Partition::Place place = Partition::Place::kMemory;
    bool may_spill = true;
    std::optional<Bytes> memory_max;
  };
  static std::shared_ptr<Body> Make(ContextPtr context, Options options);

  struct StoredPartition {
    uint64_t file_bytes = 0;
    Flight::Size size;
  };
  // Of the index: committed, on disk, not opened.
  static std::shared_ptr<Body> Restore(ContextPtr context, uint64_t generation, Schema schema,
                                       const std::vector<StoredPartition>& stored);
  ~Body();
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  uint64_t generation() const { return options_.generation; }
  const Schema& schema() const { return options_.schema; }
  const Options& options() const { return options_; }
  uint32_t partitions() const { return static_cast<uint32_t>(partitions_.size()); }
  Partition& partition(uint32_t number) { return *partitions_[number]; }
  Context& context() { return *context_; }
  Standing& standing() { return standing_; }

  Flight::Size size() const;
  Bytes memory_bytes() const;
  uint64_t file_bytes() const;
  bool complete() const { return committed_.load(); }
  bool ended() const { return ended_.load(); }
  bool MaySpill() const { return options_.may_spill && context_->may_spill; }
  Status outcome() const;

  // The writer's side.
  Status Write(uint32_t partition, Batch batch);
  Status Flush();
  Status Spill();
  Status Finish();
  void MarkCommitted() { committed_.store(true); }
  void End(std::optional<Error> error);  // First one counts. Followers see it.

  // The readers' side.
  // `record`: of the path through which it was found, for the words of errors; null = unnamed.
  FlightPtr NewHandle(RecordPtr record = nullptr);
  Result<std::unique_ptr<FlightReader>> OpenReader(uint32_t partition, const RecordPtr& record);
  void WhenReadable(std::function<void()> call);
  void WhenEnded(std::function<void()> call);
  // Frees a flight that has no readers although there are handles; they get kResultGone.
  bool Discard();
  void Unmap();  // Lets the address space of its files go until they are read again.
  void Touch();

 private:
  friend class BodyReader;
  Body(ContextPtr context, Options options);
  void SeeFirstBatch();
  void LeaveReader();
  // The error as a reader is told it.
  Error Noted(Error error, const RecordPtr& record);
  void FlushDue(uint32_t partition);  // By a timer; comes again while something is held back.
  void ArmTimer(uint32_t partition, Duration wait);

  const ContextPtr context_;
  const Options options_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  Standing standing_;
  std::atomic<bool> committed_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> readable_{false};
  std::atomic<bool> mapped_{false};

  mutable Mutex mutex_;
  std::optional<Error> error_ SHEAF_GUARDED_BY(mutex_);
  bool discarded_ SHEAF_GUARDED_BY(mutex_) = false;
  Wakes when_readable_ SHEAF_GUARDED_BY(mutex_);
  Wakes when_ended_ SHEAF_GUARDED_BY(mutex_);
};
using BodyPtr = std::shared_ptr<Body>;

}  // namespace sheaf::store
