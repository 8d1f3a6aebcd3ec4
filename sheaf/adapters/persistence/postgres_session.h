// Statements of persistence in PostgreSQL: values there and back.
#pragma once

#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/drivers/postgres/postgres.h"

namespace sheaf::persistence {

class PostgresSession final : public SqlSession {
 public:
  explicit PostgresSession(postgres::Connection& connection) : connection_(connection) {}
  records::Dialect dialect() const override { return records::Dialect::kPostgres; }
  Result<int64_t> Run(const Sql& sql, std::span<const Value> values) override;
  Status RunAll(std::span<const SqlStatement> statements) override;
  Status Query(const Sql& sql, std::span<const Value> values, const Types& types,
               const std::function<Status(Values)>& take) override;
  // Whether a statement failed because of another transaction: run anew, it may not.
  bool met_another() const { return met_another_; }

 private:
  // Notes why it failed.
  template <typename Answer>
  Answer Noted(Answer answer) {
    if (!answer.ok() && postgres::MetAnother(connection_.sqlstate())) met_another_ = true;
    return answer;
  }

  postgres::Connection& connection_;  // Borrowed from the store for one transaction.
  bool met_another_ = false;
};

}  // namespace sheaf::persistence
