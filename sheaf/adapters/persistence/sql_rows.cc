// Rows by their descriptors, and fencing.
#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {
namespace {

Types TypesOf(const Table& table) {
  Types types;
  for (size_t i = 0; i < table.columns(); ++i) types.push_back(table.ColumnAt(i).type);
  return types;
}

}  // namespace

Result<std::vector<Row>> ReadRows(SqlSession& session, const Table& table, const Sql& sql,
                                  std::span<const Value> values) {
  std::vector<Row> rows;
  SHEAF_TRY(session.Query(sql, values, TypesOf(table), [&](Values read) {
    rows.emplace_back(table).values = std::move(read);
    return Done();
  }));
  return rows;
}

Result<std::optional<Row>> FindRow(SqlSession& session, const Table& table,
                                   std::span<const Value> key) {
  const Sql sql = records::SelectByKey(table, session.dialect(), key.size());
  SHEAF_ASSIGN(auto rows, ReadRows(session, table, sql, key));
  if (rows.empty()) return std::optional<Row>();
  return std::optional(std::move(rows[0]));
}

Result<std::optional<Row>> HoldRow(SqlSession& session, const Table& table,
                                   std::span<const Value> key) {
  const Sql sql =
      records::SelectByKey(table, session.dialect(), key.size()) + HoldingRows(session.dialect());
  SHEAF_ASSIGN(auto rows, ReadRows(session, table, sql, key));
  if (rows.empty()) return std::optional<Row>();
  return std::optional(std::move(rows[0]));
}

SqlStatement ToInsert(SqlSession& session, Row row) {
  return {records::Insert(*row.table, session.dialect()), std::move(row.values)};
}

SqlStatement ToUpsert(SqlSession& session, Row row) {
  return {records::Upsert(*row.table, session.dialect()), std::move(row.values)};
}

SqlStatement ToDelete(SqlSession& session, const Table& table, Values key) {
  Sql sql = records::DeleteByKey(table, session.dialect(), key.size());
  return {std::move(sql), std::move(key)};
}

Status InsertRow(SqlSession& session, const Row& row) {
  SHEAF_TRY(session.Run(records::Insert(*row.table, session.dialect()), row.values));
  return Done();
}

Status UpsertRow(SqlSession& session, const Row& row) {
  SHEAF_TRY(session.Run(records::Upsert(*row.table, session.dialect()), row.values));
  return Done();
}

Result<int64_t> ReadNumber(SqlSession& session, const Sql& sql, std::span<const Value> values) {
  int64_t number = 0;
  SHEAF_TRY(session.Query(sql, values, {ColumnType::kLong}, [&](Values read) {
    if (const auto* found = std::get_if<int64_t>(&read[0])) number = *found;
    return Done();
  }));
  return number;
}

Result<Row> Own(SqlSession& session, const Epoch& epoch, Needs needs) {
  SHEAF_TRY(CheckScope(epoch.scope));
  const Values key = {epoch.scope};
  SHEAF_ASSIGN(auto found, HoldRow(session, kScopeTable, key));
  if (!found.has_value()) return OwnershipLost(epoch, 0, "");
  Row& scope = *found;
  const auto number = static_cast<uint64_t>(Get<int64_t>(scope, "number"));
  if (number != epoch.number) {
    return OwnershipLost(epoch, number, Get<std::string>(scope, "holder"));
  }
  if (needs == Needs::kRestored &&
      Get<int32_t>(scope, "start") == static_cast<int32_t>(Start::kNone)) {
    return Fail(Kind::kNotReady, "nothing is checkpointed for " + epoch.scope +
                                     " before it was restored, warm or cold");
  }
  return std::move(scope);
}

}  // namespace sheaf::persistence
