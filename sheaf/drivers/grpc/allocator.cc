#include "sheaf/drivers/grpc/allocator.h"

#include <charconv>
#include <fstream>
#include <string>

#if defined(__GLIBC__) || __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace sheaf::grpc {
namespace {

// Anonymous memory of this process, from Linux's /proc/self/status; 0 where there is none.
Bytes AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  constexpr std::string_view kKey = "RssAnon:";
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(kKey)) continue;
    const size_t digits = line.find_first_of("0123456789");
    int64_t kib = 0;
    if (digits == std::string::npos) return {};
    std::from_chars(line.data() + digits, line.data() + line.size(), kib);
    return {kib * 1024};
  }
  return {};
}

}  // namespace

void TuneAllocator() {
#if defined(M_MMAP_THRESHOLD)
  // The largest threshold glibc takes is 32 MiB on 64-bit machines unless set by mallopt.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 64 << 20);
#endif
}

void ReturnFreeMemory(Bytes charged, Bytes slack) {
#if defined(__GLIBC__)
  if (AnonymousBytes() > charged + slack) ::malloc_trim(0);
#else
  (void)charged, (void)slack;
#endif
}

}  // namespace sheaf::grpc
