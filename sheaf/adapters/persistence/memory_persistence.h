// Everything in this process: forgotten with it.
#pragma once

#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

// Never fails. For tests, and for nodes that need remember nothing.
Persistence OpenMemory();

}  // namespace sheaf::persistence
