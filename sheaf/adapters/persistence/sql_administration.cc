#include "sheaf/adapters/persistence/sql_administration.h"

namespace sheaf::persistence {

Result<std::vector<std::string>> SqlAdministration::Verify(const Report&) {
  return persistence::Verify(*store_);
}
Result<MigrationPlan> SqlAdministration::Plan() { return Fail(Kind::kUnsupported, "plan"); }
Result<MigrationPlan> SqlAdministration::Migrate(const Report&) {
  return Fail(Kind::kUnsupported, "migrate");
}
Status SqlAdministration::Backup(const std::string&, const Report&) {
  return Fail(Kind::kUnsupported, "backup");
}
Status SqlAdministration::Restore(const std::string&, const Report&) {
  return Fail(Kind::kUnsupported, "restore");
}
Result<std::vector<Purged>> SqlAdministration::Purge(std::span<const Retention>, const Archive&,
                                                     const Report&) {
  return Fail(Kind::kUnsupported, "purge");
}
Result<std::vector<Purged>> SqlAdministration::WouldPurge(std::span<const Retention>) {
  return Fail(Kind::kUnsupported, "purge");
}

}  // namespace sheaf::persistence
