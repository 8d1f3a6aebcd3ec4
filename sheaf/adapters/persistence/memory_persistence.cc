#include "sheaf/adapters/persistence/memory_persistence.h"

#include "sheaf/adapters/persistence/core_store.h"

namespace sheaf::persistence {

Persistence OpenMemory() {
  return MakeParts(std::make_shared<CoreStore>(), OffersSummaries::kYes, OffersResources::kYes);
}

}  // namespace sheaf::persistence
