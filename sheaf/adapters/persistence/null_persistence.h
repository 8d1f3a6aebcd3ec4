// Nothing is kept. Only for who configured `none`: no other back end ever becomes this one.
#pragma once

#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

// Writes are checked as everywhere and forgotten; epochs grow and are never stale.
Persistence OpenNull();

}  // namespace sheaf::persistence
