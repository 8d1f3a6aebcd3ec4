// Keeps the budgets: asks the eviction what should go, and lets it go.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "sheaf/adapters/store/body.h"
#include "sheaf/adapters/store/eviction.h"
#include "sheaf/base/async/async.h"

namespace sheaf::store {

// Owner: the store. Threads: any; one at a time relieves, the others wait for it.
// Blocking: spills to the disk, waits for syncs of the index. Never call it under a lock.
// Errors: kExhausted naming the budget that is full of what may not go; kDependency (the disk).
class Pressure final {
 public:
  struct Doors {
    std::function<void(const std::vector<uint64_t>&)> evict;  // Removes every path of these.
    std::function<void(uint64_t)> forget;  // Lets go of a former generation before its time.
  };
  Pressure(Context& context, Doors doors) : context_(context), doors_(std::move(doors)) {}

  // Makes room for bytes that `body` is about to take in memory; it may be spilled for it.
  Status MakeMemory(Body& body, Bytes bytes);
  // Makes room on the disk.
  Status MakeDisk(Bytes bytes);
  // Back within the budgets, as far as that goes.
  void Relieve();

  int64_t evicted() const { return evicted_.load(); }

 private:
  // One decision and its acts; true when there was anything to do.
  bool RunRound(Bytes memory_more, Bytes disk_more) SHEAF_REQUIRES(mutex_);
  bool Fits(const Account& account, Bytes more) const;
  void Spill(Body& body);

  Context& context_;  // Borrowed from the store.
  const Doors doors_;
  Mutex mutex_;
  std::atomic<int64_t> evicted_{0};
};

}  // namespace sheaf::store
