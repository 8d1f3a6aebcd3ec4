// Statements of persistence in SQLite: values there and back.
#pragma once

#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/drivers/sqlite/sqlite.h"

namespace sheaf::persistence {

class SqliteSession final : public SqlSession {
 public:
  explicit SqliteSession(sqlite::Database& database) : database_(database) {}
  records::Dialect dialect() const override { return records::Dialect::kSqlite; }
  Result<int64_t> Run(const Sql& sql, std::span<const Value> values) override;
  Status Query(const Sql& sql, std::span<const Value> values, const Types& types,
               const std::function<Status(Values)>& take) override;

 private:
  sqlite::Database& database_;  // Borrowed from the store for one transaction.
};

}  // namespace sheaf::persistence
