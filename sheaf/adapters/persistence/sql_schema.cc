#include "sheaf/adapters/persistence/sql_schema.h"

#include <charconv>

#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/adapters/persistence/sql_history.h"
#include "sheaf/wire/records/migration.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

constexpr std::string_view kVersionName = "version";

std::vector<const Table*> AllTables() {
  std::vector<const Table*> all(kOwnTables.begin(), kOwnTables.end());
  all.insert(all.end(), records::kTables.begin(), records::kTables.end());
  return all;
}

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

Status CheckVersion(const std::string& note) {
  int64_t version = 0;
  const auto [end, error] = std::from_chars(note.data(), note.data() + note.size(), version);
  if (error != std::errc() || end != note.data() + note.size()) {
    return Fail(Kind::kCorrupt, "its schema has the version '" + note + "'");
  }
  if (version > kSchemaVersion) {
    return Fail(Kind::kUnsupported, "its schema has version " + note +
                                        ", this program knows version " +
                                        std::to_string(kSchemaVersion));
  }
  return Done();
}

Status PrepareTable(SqlSession& session, const Table& table) {
  const std::string name = "table " + std::string(table.name);
  SHEAF_ASSIGN(const std::string note, ReadNote(session, name));
  std::string wanted = records::ToJson(records::ShapeOf(table)).dump();
  if (note == wanted) return Done();
  std::optional<records::Shape> present;
  if (!note.empty()) {
    SHEAF_ASSIGN(const Json json, command::ParseJson(note));
    SHEAF_ASSIGN(present, records::ShapeFromJson(json));
  }
  SHEAF_ASSIGN(const auto statements,
               records::Migrate(present ? &*present : nullptr, table, session.dialect()));
  for (const Sql& sql : statements) SHEAF_TRY(session.Run(sql, {}));
  return WriteNote(session, name, std::move(wanted));
}

Status Prepare(SqlSession& session) {
  if (const Sql wait = WaitingForOthers(session.dialect()); !wait.empty()) {
    SHEAF_TRY(session.Query(wait, {}, {ColumnType::kString}, [](Values) { return Done(); }));
  }
  for (const Sql& sql : records::Ddl(kSchemaTable, session.dialect())) {
    SHEAF_TRY(session.Run(sql, {}));
  }
  SHEAF_ASSIGN(const std::string version, ReadNote(session, kVersionName));
  if (!version.empty()) SHEAF_TRY(CheckVersion(version));
  for (const Table* table : AllTables()) SHEAF_TRY(PrepareTable(session, *table));
  if (version == std::to_string(kSchemaVersion)) return Done();
  for (const Sql& sql : PageIndexes()) SHEAF_TRY(session.Run(sql, {}));
  return WriteNote(session, kVersionName, std::to_string(kSchemaVersion));
}

}  // namespace

Status PrepareSchema(SqlStore& store) {
  return store.Write([](SqlSession& session) { return Prepare(session); });
}

}  // namespace sheaf::persistence
