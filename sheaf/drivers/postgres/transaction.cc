#include "sheaf/drivers/postgres/transaction.h"

#include <array>

#include "sheaf/base/core/check.h"

namespace sheaf::postgres {

Result<Transaction> Transaction::Begin(Connection& connection, Mode mode) {
  const Sql begin = mode == Mode::kWrite ? Sql("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
                                         : Sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const bool fresh = connection.lost();
  SHEAF_TRY(connection.Revive());
  auto begun = connection.Run(begin);
  // The server went away since the last transaction: nothing has happened yet in this one.
  if (!begun.ok() && connection.lost() && !fresh) {
    SHEAF_TRY(connection.Revive());
    begun = connection.Run(begin);
  }
  if (begun.ok()) return Transaction(&connection);
  Error error = std::move(begun).error();
  error.effect = Effect::kNone;
  return error;
}

Transaction::~Transaction() {
  if (connection_ == nullptr || connection_->lost()) return;
  (void)connection_->Run(Sql("ROLLBACK"));
}

Status Transaction::Commit() {
  SHEAF_CHECK(connection_ != nullptr);
  Connection& connection = *std::exchange(connection_, nullptr);
  const std::array<Statement, 1> commit = {Statement{Sql("COMMIT"), {}}};
  SHEAF_ASSIGN(const auto answers, connection.RunIn(Phase::kCommitting, commit));
  // The server commits nothing of a transaction in which a statement failed, and says so here only.
  if (answers[0].tag() != "COMMIT") {
    return Fail(Kind::kInternal, connection.where() + ": a failed transaction was to be committed");
  }
  return Done();
}

}  // namespace sheaf::postgres
