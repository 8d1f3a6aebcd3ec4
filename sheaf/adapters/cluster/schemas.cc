#include "sheaf/adapters/cluster/schemas.h"

#include <arrow/type.h>

#include <algorithm>
#include <functional>
#include <string>

namespace sheaf::cluster {

Schema Schemas::Intern(const Schema& schema) {
  if (schema == nullptr) return schema;
  // Types without a fingerprint (extensions) share a bucket by their names; Equals decides.
  size_t hash = std::hash<std::string>()(schema->fingerprint());
  for (const auto& field : schema->fields()) {
    hash = hash * 31 + std::hash<std::string>()(field->name());
  }
  MutexLock lock(mutex_);
  const auto [first, last] = known_.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    const Schema known = at->second.lock();
    if (known != nullptr && known->Equals(*schema, /*check_metadata=*/true)) return known;
  }
  if (known_.size() >= sweep_at_) Sweep();
  known_.emplace(hash, schema);
  return schema;
}

size_t Schemas::size() const {
  MutexLock lock(mutex_);
  return known_.size();
}

void Schemas::Sweep() {
  std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
  sweep_at_ = std::max<size_t>(1024, known_.size() * 2);
}

}  // namespace sheaf::cluster
