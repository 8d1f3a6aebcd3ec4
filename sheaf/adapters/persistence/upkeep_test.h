// What tests of administration share: either database, opened as it is and its rows as they are.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "sheaf/adapters/persistence/postgres_test.h"
#include "sheaf/adapters/persistence/sql_schema.h"
#include "sheaf/adapters/persistence/sqlite_test.h"

namespace sheaf::persistence {

enum class Which : uint8_t { kSqlite, kPostgres };

inline std::ostream& operator<<(std::ostream& out, Which which) {
  return out << (which == Which::kSqlite ? "sqlite" : "postgres");
}

// One database, in a file or a schema of its own.
class Place {
 public:
  Place(Which which, const std::string& directory, const std::string& name)
      : which_(which), directory_(directory), path_(directory + "/" + name) {
    if (which == Which::kPostgres) url_ = testkit::Postgres::Shared().FreshUrl();
  }
  // With what its kind does to an older schema; or with this.
  Result<SqlPersistence> Open() const {
    return Open(which_ == Which::kSqlite ? OlderSchema::kMigrated : OlderSchema::kRefused);
  }
  Result<SqlPersistence> Open(OlderSchema older) const {
    if (which_ == Which::kSqlite) return OpenSqlite({.path = path_, .older = older});
    return OpenPostgres(
        {.connect = {.url = url_}, .older = older, .backup_directory = directory_},
        RealSurroundings());
  }

 private:
  const Which which_;
  const std::string directory_, path_;
  std::string url_;
};

using Everything = std::map<std::string, std::vector<Row>>;

// All rows of all tables but the schema's own.
inline Everything ReadAll(SqlStore& store) {
  Everything all;
  const Status read = store.Read([&](SqlSession& session) -> Status {
    for (const Table* table : TablesOf(kSchemaVersion)) {
      if (table->name == "sheaf_schema") continue;
      SHEAF_ASSIGN(all[std::string(table->name)],
                   ReadRows(session, *table,
                            records::Select(*table) + " ORDER BY " + records::KeyList(*table), {}));
    }
    return Done();
  });
  EXPECT_TRUE(read.ok()) << read.error().message;
  return all;
}

}  // namespace sheaf::persistence
