// A flight that is never kept: its writer waits for its one reader (retain_s 0).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/ports/store/flight.h"

namespace sheaf::tasks {

// Batches pass through a bounded queue in memory and are gone when read; no byte reaches a disk
// or an index. One partition, one reader: a second one is kResultGone.
//
// Owner: shared by the run's writer and its reader. Threads: any. Blocking: Write waits while the
// queue is full, until the token says otherwise.
class PipeFlight final : public store::Flight, public std::enable_shared_from_this<PipeFlight> {
 public:
  PipeFlight(uint64_t generation, Schema schema, Bytes queue_max)
      : generation_(generation), schema_(std::move(schema)), queue_max_(queue_max) {}

  // Errors: the token's; kCancelled when the reader is gone.
  Status Write(Batch batch, const CancelToken& token);
  void End(Status outcome);

  uint64_t generation() const override { return generation_; }
  const Schema& schema() const override { return schema_; }
  uint32_t partitions() const override { return 1; }
  bool complete() const override;
  Size size() const override;
  Size size(uint32_t) const override { return size(); }
  Result<std::unique_ptr<store::FlightReader>> OpenReader(uint32_t partition) override;
  void WhenReadable(std::function<void()> call) override { readable_.Then(std::move(call)); }
  void WhenEnded(std::function<void()> call) override { ended_.Then(std::move(call)); }
  bool damaged() const override { return false; }
  Status outcome() const override;

 private:
  class Reader;
  const uint64_t generation_;
  const Schema schema_;
  const Bytes queue_max_;
  mutable Mutex mutex_;
  CondVar room_;
  std::deque<Batch> queue_ SHEAF_GUARDED_BY(mutex_);
  Bytes queued_ SHEAF_GUARDED_BY(mutex_){};
  Size size_ SHEAF_GUARDED_BY(mutex_){};
  bool opened_ SHEAF_GUARDED_BY(mutex_) = false;
  bool reader_gone_ SHEAF_GUARDED_BY(mutex_) = false;
  bool done_ SHEAF_GUARDED_BY(mutex_) = false;
  Status outcome_ SHEAF_GUARDED_BY(mutex_);
  std::function<void()> wake_ SHEAF_GUARDED_BY(mutex_);
  Event readable_;
  Event ended_;
};

}  // namespace sheaf::tasks
