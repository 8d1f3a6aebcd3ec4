#include "sheaf/adapters/persistence/sql_look.h"

#include <charconv>

#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/adapters/persistence/sql_schema.h"

namespace sheaf::persistence {
namespace {

// How many tables of the name there are where unqualified names are looked up.
Sql CountTables(records::Dialect dialect) {
  switch (dialect) {
    case records::Dialect::kSqlite:
      return Sql("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name=?1");
    case records::Dialect::kPostgres:
      return Sql("SELECT count(*) FROM pg_catalog.pg_class WHERE relname=$1 AND ") +
             "pg_catalog.pg_table_is_visible(oid)";
    case records::Dialect::kCql: break;
  }
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  __builtin_unreachable();
}

}  // namespace

Result<int64_t> SchemaVersionIn(SqlSession& session) {
  const Values name = {std::string(kSchemaTable.name)};
  SHEAF_ASSIGN(const int64_t tables, ReadNumber(session, CountTables(session.dialect()), name));
  if (tables == 0) return 0;
  const Values key = {std::string("version")};
  SHEAF_ASSIGN(const auto row, FindRow(session, kSchemaTable, key));
  if (!row.has_value()) return 0;
  const auto text = Get<std::string>(*row, "value");
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc() && end == text.data() + text.size() && version > 0) return version;
  return Fail(Kind::kCorrupt, "its schema has the version '" + text + "'");
}

Status ExpectVersion(int64_t version) {
  if (version == kSchemaVersion) return Done();
  if (version == 0) {
    return Fail(Kind::kNotReady,
                "the database is not initialised: it has no tables of Sheaf; `sheaf db create` "
                "makes them");
  }
  const std::string versions = "its schema has version " + std::to_string(version) +
                               ", this program knows version " + std::to_string(kSchemaVersion);
  if (version > kSchemaVersion) return Fail(Kind::kUnsupported, versions);
  return Fail(Kind::kNotReady, versions + "; `sheaf db migrate apply` brings it up");
}

Status ExpectSchema(SqlStore& store) {
  return store.Read([](SqlSession& session) -> Status {
    SHEAF_ASSIGN(const int64_t version, SchemaVersionIn(session));
    return ExpectVersion(version);
  });
}

}  // namespace sheaf::persistence
