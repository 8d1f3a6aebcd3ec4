// ServiceRegistry over any SQL store; see sql_store.h.
#pragma once

#include <utility>

#include "sheaf/adapters/persistence/sql_history.h"

namespace sheaf::persistence {

class SqlRegistry final : public ServiceRegistry {
 public:
  explicit SqlRegistry(SqlStorePtr store) : store_(std::move(store)) {}
  Access MayDo() const override { return Access::kReadWrite; }
  Status Store(const Epoch& epoch, const Registration& registration) override;
  Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) override;
  Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) override;
  Status Archive(const Epoch& epoch, const Registration& last) override;
  Result<Registration> Get(int64_t id) override;
  Result<std::vector<Registration>> Live() override { return All(Listing::kLive); }
  Result<std::vector<Registration>> Archived() override { return All(Listing::kArchived); }

 private:
  Result<std::vector<Registration>> All(Listing listing);
  Status Update(const Epoch& epoch, int64_t id, const Row& half);

  const SqlStorePtr store_;
};

}  // namespace sheaf::persistence
