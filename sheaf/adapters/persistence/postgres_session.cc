#include "sheaf/adapters/persistence/postgres_session.h"

#include <limits>

namespace sheaf::persistence {
namespace {

using records::Absent;
using records::Blob;
using records::ColumnType;
using records::Uuid;

// Borrows from `value`, which outlives the statement.
postgres::Value ToPostgres(const Value& value) {
  return std::visit(
      []<typename T>(const T& is) -> postgres::Value {
        if constexpr (std::is_same_v<T, Absent>) {
          return postgres::Null{};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return std::string_view(is);
        } else if constexpr (std::is_same_v<T, Blob>) {
          return postgres::Blob{is.bytes};
        } else if constexpr (std::is_same_v<T, Uuid>) {
          return postgres::Uuid{is.bytes};
        } else {
          return is;
        }
      },
      value);
}

std::vector<postgres::Value> ToPostgres(std::span<const Value> values) {
  std::vector<postgres::Value> borrowed;
  borrowed.reserve(values.size());
  for (const Value& value : values) borrowed.push_back(ToPostgres(value));
  return borrowed;
}

Result<Value> Read(const postgres::Value& value, ColumnType type) {
  const auto wrong = [] {
    return Fail(Kind::kCorrupt, "a column has another type than it should");
  };
  const auto as = [&]<typename T>(T, auto make) -> Result<Value> {
    const auto* is = std::get_if<T>(&value);
    if (is == nullptr) return wrong();
    return Value(make(*is));
  };
  if (std::holds_alternative<postgres::Null>(value)) return Value(Absent{});
  switch (type) {
    case ColumnType::kString:
      return as(std::string_view(), [](auto text) { return std::string(text); });
    case ColumnType::kBlob:
      return as(postgres::Blob(), [](auto blob) { return Blob{std::string(blob.bytes)}; });
    case ColumnType::kBoolean: return as(bool(), [](bool is) { return is; });
    case ColumnType::kInteger: return as(int32_t(), [](int32_t is) { return is; });
    case ColumnType::kLong:
      if (const auto* small = std::get_if<int32_t>(&value)) return Value(int64_t{*small});
      return as(int64_t(), [](int64_t is) { return is; });
    case ColumnType::kDouble: return as(double(), [](double is) { return is; });
    case ColumnType::kUuid: return as(postgres::Uuid(), [](auto is) { return Uuid{is.bytes}; });
  }
  __builtin_unreachable();
}

}  // namespace

Result<int64_t> PostgresSession::Run(const Sql& sql, std::span<const Value> values) {
  return Noted(connection_.Run(sql, ToPostgres(values)));
}

Status PostgresSession::RunAll(std::span<const SqlStatement> statements) {
  std::vector<postgres::Statement> batch;
  batch.reserve(statements.size());
  for (const auto& [sql, values] : statements) batch.push_back({sql, ToPostgres(values)});
  SHEAF_TRY(Noted(connection_.RunAll(batch)));
  return Done();
}

Status PostgresSession::Query(const Sql& sql, std::span<const Value> values, const Types& types,
                              const std::function<Status(Values)>& take) {
  SHEAF_ASSIGN(const auto rows, Noted(connection_.Query(sql, ToPostgres(values))));
  SHEAF_CHECK(rows.columns() == types.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    Values read;
    read.reserve(types.size());
    for (size_t i = 0; i < types.size(); ++i) {
      SHEAF_ASSIGN(const postgres::Value value, rows.At(row, i));
      SHEAF_ASSIGN(Value is, Read(value, types[i]));
      read.push_back(std::move(is));
    }
    SHEAF_TRY(take(std::move(read)));
  }
  return Done();
}

}  // namespace sheaf::persistence
