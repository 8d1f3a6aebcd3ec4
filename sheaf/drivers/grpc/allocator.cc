#include "sheaf/drivers/grpc/allocator.h"

#if defined(__GLIBC__) || __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <algorithm>
#include <utility>

#include "sheaf/base/core/resident.h"

namespace sheaf::grpc {

void TuneAllocator() {
#if defined(M_MMAP_THRESHOLD)
  // The largest threshold glibc takes is 32 MiB on 64-bit machines unless set by mallopt.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 64 << 20);
#endif
}

FreeMemory::FreeMemory(std::shared_ptr<const Account> ledger, Bytes slack)
    : ledger_(std::move(ledger)), slack_(slack), kept_(ResidentAnonymous() - ledger_->used()) {}

void FreeMemory::Moved(Bytes bytes) {
  const int64_t step = slack_.count / 4;
  const int64_t before = moved_.fetch_add(bytes.count, std::memory_order_relaxed);
  if (step == 0 || before / step != (before + bytes.count) / step) Look();
}

void FreeMemory::Look() {
  MutexLock lock(mutex_);  // One at a time: the others would find nothing left.
  if (ResidentAnonymous() <= ledger_->used() + kept_ + slack_) return;
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
  // What did not go back is in use, or in holes smaller than a page: no reason to look for it
  // again.
  kept_ = std::max(Bytes{}, ResidentAnonymous() - ledger_->used());
}

}  // namespace sheaf::grpc
