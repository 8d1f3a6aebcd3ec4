// What the C library's allocator must be told before gRPC receives large messages, and after.
#pragma once

#include <atomic>
#include <memory>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"

namespace sheaf::grpc {

// Keeps freed memory of received slices in the process. Without it glibc returns each large block
// to the system and faults it in again: uploads are then two to three times slower. Called once,
// by main, before threads start; does nothing with another C library.
void TuneAllocator();

// Gives free memory back to the system when the process holds more than its ledger says.
//
// What is received in blocks and freed in another order leaves holes that the next blocks do not
// fit: at 1 GB/s a process grows by hundreds of MB each second. So looking goes by bytes, not by
// time: each quarter of `slack` that moved.
//
// Owner: main. Threads: any. Blocking: Look may walk the allocator's arenas, some milliseconds.
class FreeMemory final {
 public:
  // Up to `slack` beyond what `ledger` has charged is kept for the next large message.
  FreeMemory(std::shared_ptr<const Account> ledger, Bytes slack);

  // So much was received or made; looks now and then.
  void Moved(Bytes bytes);
  void Look();

 private:
  const std::shared_ptr<const Account> ledger_;  // Shared: main holds it, too.
  const Bytes slack_;
  std::atomic<int64_t> moved_{0};
  Mutex mutex_;
  Bytes kept_ SHEAF_GUARDED_BY(mutex_);  // Beyond the ledger, when all was given back.
};

}  // namespace sheaf::grpc
