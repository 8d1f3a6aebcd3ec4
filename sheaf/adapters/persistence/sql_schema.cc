#include "sheaf/adapters/persistence/sql_schema.h"

#include <charconv>

#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_backup.h"
#include "sheaf/adapters/persistence/sql_catalog.h"
#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::persistence {
namespace {

constexpr std::string_view kVersionName = "version";

std::string StepName(int64_t version) { return "migration " + std::to_string(version); }

Result<std::string> ReadNote(SqlSession& session, std::string_view name) {
  const Values key = {std::string(name)};
  SHEAF_ASSIGN(const auto row, FindRow(session, kSchemaTable, key));
  return row.has_value() ? Get<std::string>(*row, "value") : std::string();
}

Status WriteNote(SqlSession& session, std::string_view name, std::string value) {
  Row row(kSchemaTable);
  row.At("name") = std::string(name);
  row.At("value") = std::move(value);
  return UpsertRow(session, row);
}

Result<int64_t> ParseVersion(const std::string& note) {
  int64_t version = 0;
  const auto [end, error] = std::from_chars(note.data(), note.data() + note.size(), version);
  if (error != std::errc() || end != note.data() + note.size() || version < 1) {
    return Fail(Kind::kCorrupt, "its schema has the version '" + note + "'");
  }
  if (version > kSchemaVersion) {
    return Fail(Kind::kUnsupported,
                "its schema has version " + note + ", this program knows version " +
                    std::to_string(kSchemaVersion) + ": use a program of that version or later");
  }
  return version;
}

// What others made is not ours to use.
Status CheckUnused(SqlSession& session) {
  SHEAF_ASSIGN(const auto names, LiveTables(session));
  for (const Table* table : TablesOf(kSchemaVersion)) {
    if (table == &kSchemaTable || !names.contains(std::string(table->name))) continue;
    return Fail(Kind::kInvalid, "it has a table '" + std::string(table->name) +
                                    "' that Sheaf did not make: give Sheaf a database or a "
                                    "schema of its own");
  }
  return Done();
}

Status Apply(SqlSession& session, int64_t version, int64_t now_ms) {
  const VersionStep step = StepTo(version, session.dialect());
  for (const Sql& sql : step.statements) SHEAF_TRY(session.Run(sql, {}));
  const Json note = {{"checksum", ChecksumOf(step)}, {"applied_ms", now_ms}};
  SHEAF_TRY(WriteNote(session, StepName(version), note.dump()));
  return WriteNote(session, kVersionName, std::to_string(version));
}

// Before version 2 no step left a note.
Status CheckNotes(SqlSession& session, int64_t present, std::vector<std::string>& drift) {
  for (int64_t version = 1; version <= present; ++version) {
    SHEAF_ASSIGN(const std::string note, ReadNote(session, StepName(version)));
    if (note.empty() && version == 1) continue;
    const std::string wanted = ChecksumOf(StepTo(version, session.dialect()));
    const auto json = command::ParseJson(note);
    const std::string was =
        json.ok() && json->is_object() ? json->value("checksum", std::string()) : std::string();
    if (was == wanted) continue;
    drift.push_back("checksum: the step to version " + std::to_string(version) + " was " +
                    (was.empty() ? "not noted" : was) + ", this program's is " + wanted);
  }
  return Done();
}

MigrationStep Shown(int64_t version, records::Dialect dialect) {
  const VersionStep step = StepTo(version, dialect);
  MigrationStep shown{version - 1, version, std::string(step.about), ChecksumOf(step), {}};
  for (const Sql& sql : step.statements) shown.statements.push_back(sql.text());
  return shown;
}

int64_t Milliseconds(const Upkeep& upkeep) { return upkeep.clock->Wall().micros / 1000; }

// Creates all in an empty database; says what version there is now.
Result<int64_t> CreateIfEmpty(SqlStore& store, const Upkeep& upkeep) {
  int64_t present = 0;
  SHEAF_TRY(store.Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Alone(session));
    SHEAF_ASSIGN(present, PresentVersion(session));
    if (present > 0) return Done();
    SHEAF_TRY(CheckUnused(session));
    for (int64_t version = 1; version <= kSchemaVersion; ++version) {
      SHEAF_TRY(Apply(session, version, Milliseconds(upkeep)));
    }
    present = kSchemaVersion;
    return Done();
  }));
  return present;
}

Result<int64_t> ReadVersion(SqlStore& store) {
  int64_t present = 0;
  SHEAF_TRY(store.Read([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(present, PresentVersion(session));
    return Done();
  }));
  return present;
}

// One step in one transaction, unless another made it meanwhile.
Status Advance(SqlStore& store, const Upkeep& upkeep, Holders holders, int64_t from) {
  return store.Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Alone(session));
    SHEAF_ASSIGN(const int64_t present, PresentVersion(session));
    if (present != from) return Done();
    SHEAF_TRY(FreeScopes(session, holders));
    return Apply(session, from + 1, Milliseconds(upkeep));
  });
}

}  // namespace

Status Alone(SqlSession& session) {
  const Sql wait = WaitingForOthers(session.dialect());
  if (wait.empty()) return Done();
  return session.Query(wait, {}, {ColumnType::kString}, [](Values) { return Done(); });
}

Result<int64_t> PresentVersion(SqlSession& session) {
  SHEAF_ASSIGN(const auto names, LiveTables(session));
  if (!names.contains(std::string(kSchemaTable.name))) return int64_t{0};
  SHEAF_ASSIGN(const std::string note, ReadNote(session, kVersionName));
  if (note.empty()) return int64_t{0};
  return ParseVersion(note);
}

Status PrepareSchema(SqlStore& store, const Upkeep& upkeep) {
  if (upkeep.older == OlderSchema::kLeft) return Done();
  SHEAF_ASSIGN(const int64_t present, CreateIfEmpty(store, upkeep));
  if (present == kSchemaVersion) return Done();
  if (upkeep.older == OlderSchema::kRefused) {
    return Fail(Kind::kUnsupported, "its schema has version " + std::to_string(present) +
                                        ", this program needs version " +
                                        std::to_string(kSchemaVersion) +
                                        ": stop the nodes that use it, then `sheaf db migrate "
                                        "apply`");
  }
  auto migrated = MigrateSchema(store, upkeep, Holders::kMustBeNone, {});
  if (migrated.ok()) return Done();
  Error error = std::move(migrated).error();
  if (IsScopeHeld(error)) error.message += " (`sheaf db migrate apply --force`)";
  return error;
}

Status FreeScopes(SqlSession& session, Holders holders) {
  const Sql all = records::Select(kScopeTable) + " ORDER BY " + records::KeyList(kScopeTable) +
                  HoldingRows(session.dialect());
  SHEAF_ASSIGN(auto rows, ReadRows(session, kScopeTable, all, {}));
  for (Row& row : rows) {
    const std::string holder = Get<std::string>(row, "holder");
    if (holder.empty()) continue;
    const int64_t number = Get<int64_t>(row, "number");
    if (holders == Holders::kMustBeNone) {
      return ScopeHeld({Get<std::string>(row, "scope"), static_cast<uint64_t>(number), holder});
    }
    row.At("number") = number + 1;
    row.At("holder") = std::string();
    row.At("start") = static_cast<int32_t>(Start::kNone);
    SHEAF_TRY(UpsertRow(session, row));
  }
  return Done();
}

Result<MigrationPlan> PlanSchema(SqlStore& store) {
  MigrationPlan plan;
  SHEAF_TRY(store.Read([&](SqlSession& session) -> Status {
    plan = {};
    plan.wanted = kSchemaVersion;
    SHEAF_ASSIGN(plan.present, PresentVersion(session));
    for (int64_t version = plan.present + 1; version <= kSchemaVersion; ++version) {
      plan.steps.push_back(Shown(version, session.dialect()));
    }
    if (plan.present == 0) return CheckUnused(session);
    SHEAF_ASSIGN(const Catalog live, LiveCatalog(session, plan.present));
    plan.drift = Drift(ExpectedCatalog(plan.present, session.dialect()), live);
    return CheckNotes(session, plan.present, plan.drift);
  }));
  return plan;
}

Result<MigrationPlan> MigrateSchema(SqlStore& store, const Upkeep& upkeep, Holders holders,
                                    const Report& report) {
  SHEAF_ASSIGN(MigrationPlan plan, PlanSchema(store));
  int64_t present = plan.present;
  if (present == 0) {
    SHEAF_ASSIGN(present, CreateIfEmpty(store, upkeep));
  }
  while (present < kSchemaVersion) {
    if (holders == Holders::kMustBeNone) {  // Before a backup is made for nothing.
      SHEAF_TRY(store.Write(
          [](SqlSession& session) { return FreeScopes(session, Holders::kMustBeNone); }));
    }
    SHEAF_TRY(upkeep.files->CreateDirectories(files::DirectoryOf(upkeep.backups)));
    const std::string file = upkeep.backups + ".schema" + std::to_string(present) + "." +
                             std::to_string(Milliseconds(upkeep)) + ".backup";
    SHEAF_TRY(WriteBackup(store, upkeep, file, report));
    plan.backups.push_back(file);
    SHEAF_TRY(Advance(store, upkeep, holders, present));
    SHEAF_ASSIGN(present, ReadVersion(store));
  }
  return plan;
}

}  // namespace sheaf::persistence
