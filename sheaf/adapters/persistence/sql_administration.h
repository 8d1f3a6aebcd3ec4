// Administration over SQL.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

class SqlAdministration final : public Administration {
 public:
  SqlAdministration(std::shared_ptr<SqlStore> store, Upkeep upkeep)
      : store_(std::move(store)), upkeep_(std::move(upkeep)) {}

  Result<std::vector<std::string>> Verify(const Report& report) override;
  Result<MigrationPlan> Plan() override;
  Result<MigrationPlan> Migrate(Holders holders, const Report& report) override;
  Result<BackupFacts> Backup(const std::string& file, const Report& report) override;
  Result<BackupFacts> Restore(const std::string& file, Holders holders,
                              const Report& report) override;
  Result<std::vector<Purged>> Purge(std::span<const Retention> retentions, const Archive& archive,
                                    const Report& report) override;
  Result<std::vector<Purged>> WouldPurge(std::span<const Retention> retentions) override;
  Result<std::vector<Loaded>> Load(std::span<const Loadable> items, int64_t now) override;
  Result<std::vector<Loaded>> WouldLoad(std::span<const Loadable> items) override;

 private:
  const std::shared_ptr<SqlStore> store_;  // Shared with the other parts.
  const Upkeep upkeep_;
};

}  // namespace sheaf::persistence
