#include "sheaf/base/core/resident.h"

#include <unistd.h>

#include <fstream>

namespace sheaf {

Bytes ResidentAnonymous() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0, shared = 0;
  if (!(file >> size >> resident >> shared)) return {};
  return {(resident - shared) * ::sysconf(_SC_PAGESIZE)};
}

}  // namespace sheaf
