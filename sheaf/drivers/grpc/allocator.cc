#include "sheaf/drivers/grpc/allocator.h"

#if defined(__GLIBC__) || __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace sheaf::grpc {

void TuneAllocator() {
#if defined(M_MMAP_THRESHOLD)
  // The largest threshold glibc takes is 32 MiB on 64-bit machines unless set by mallopt.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace sheaf::grpc
