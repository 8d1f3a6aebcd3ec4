// What this process holds, as the system counts it.
#pragma once

#include "sheaf/base/core/bytes.h"

namespace sheaf {

// Anonymous memory that is resident: heaps and stacks, not mapped files. 0 where /proc is absent.
// Blocking: a read of /proc/self/statm, some ten microseconds.
Bytes ResidentAnonymous();

}  // namespace sheaf
