// Old work goes, in small transactions beside those who write.
#pragma once

#include <span>
#include <vector>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

enum class PurgeMode : uint8_t { kDo, kOnlyCount };

// See Administration::Purge and WouldPurge.
Result<std::vector<Purged>> PurgeWork(SqlStore& store, const Upkeep& upkeep,
                                      std::span<const Retention> retentions,
                                      const Archive& archive, const Report& report, PurgeMode mode);

}  // namespace sheaf::persistence
