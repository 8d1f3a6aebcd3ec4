#include "sheaf/adapters/persistence/sql_administration.h"

#include "sheaf/adapters/persistence/sql_backup.h"
#include "sheaf/adapters/persistence/sql_purge.h"
#include "sheaf/adapters/persistence/sql_schema.h"

namespace sheaf::persistence {

Result<std::vector<std::string>> SqlAdministration::Verify(const Report& report) {
  return persistence::Verify(*store_, report);
}
Result<MigrationPlan> SqlAdministration::Plan() { return PlanSchema(*store_); }
Result<MigrationPlan> SqlAdministration::Migrate(Holders holders, const Report& report) {
  return MigrateSchema(*store_, upkeep_, holders, report);
}
Result<BackupFacts> SqlAdministration::Backup(const std::string& file, const Report& report) {
  return WriteBackup(*store_, upkeep_, file, report);
}
Result<BackupFacts> SqlAdministration::Restore(const std::string& file, Holders holders,
                                               const Report& report) {
  return RestoreBackup(*store_, upkeep_, file, holders, report);
}
Result<std::vector<Purged>> SqlAdministration::Purge(std::span<const Retention> retentions,
                                                     const Archive& archive,
                                                     const Report& report) {
  return PurgeWork(*store_, upkeep_, retentions, archive, report, PurgeMode::kDo);
}
Result<std::vector<Purged>> SqlAdministration::WouldPurge(std::span<const Retention> retentions) {
  return PurgeWork(*store_, upkeep_, retentions, {}, {}, PurgeMode::kOnlyCount);
}

}  // namespace sheaf::persistence
