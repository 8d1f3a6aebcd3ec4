#include "sheaf/adapters/persistence/sqlite_session.h"

#include <cstring>
#include <limits>

namespace sheaf::persistence {
namespace {

using records::Absent;
using records::Blob;
using records::ColumnType;
using records::Uuid;

// Borrows from `value`, which outlives the statement.
sqlite::Value ToSqlite(const Value& value) {
  return std::visit(
      []<typename T>(const T& is) -> sqlite::Value {
        if constexpr (std::is_same_v<T, Absent>) {
          return sqlite::Null{};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return std::string_view(is);
        } else if constexpr (std::is_same_v<T, Blob>) {
          return sqlite::Blob{is.bytes};
        } else if constexpr (std::is_same_v<T, Uuid>) {
          return sqlite::Blob{{reinterpret_cast<const char*>(is.bytes.data()), is.bytes.size()}};
        } else if constexpr (std::is_same_v<T, double>) {
          return is;
        } else {
          return static_cast<int64_t>(is);
        }
      },
      value);
}

std::vector<sqlite::Value> ToSqlite(std::span<const Value> values) {
  std::vector<sqlite::Value> borrowed;
  borrowed.reserve(values.size());
  for (const Value& value : values) borrowed.push_back(ToSqlite(value));
  return borrowed;
}

Result<Value> Read(const sqlite::Rows& rows, int column, ColumnType type) {
  if (rows.IsNull(column)) return Value(Absent{});
  switch (type) {
    case ColumnType::kString: return Value(std::string(rows.Text(column)));
    case ColumnType::kBlob: return Value(Blob{std::string(rows.Bytes(column))});
    case ColumnType::kBoolean: return Value(rows.Integer(column) != 0);
    case ColumnType::kInteger: {
      const int64_t number = rows.Integer(column);
      if (number < std::numeric_limits<int32_t>::min() ||
          number > std::numeric_limits<int32_t>::max()) {
        return Fail(Kind::kCorrupt, "an integer of more than 32 bits: " + std::to_string(number));
      }
      return Value(static_cast<int32_t>(number));
    }
    case ColumnType::kLong: return Value(rows.Integer(column));
    case ColumnType::kDouble: return Value(rows.Real(column));
    case ColumnType::kUuid: {
      const std::string_view bytes = rows.Bytes(column);
      Uuid uuid;
      if (bytes.size() != uuid.bytes.size()) {
        return Fail(Kind::kCorrupt, "a UUID of " + std::to_string(bytes.size()) + " bytes");
      }
      std::memcpy(uuid.bytes.data(), bytes.data(), bytes.size());
      return Value(uuid);
    }
  }
  __builtin_unreachable();
}

}  // namespace

Result<int64_t> SqliteSession::Run(const Sql& sql, std::span<const Value> values) {
  SHEAF_TRY(database_.Run(sql, ToSqlite(values)));
  return database_.changes();
}

Status SqliteSession::Query(const Sql& sql, std::span<const Value> values, const Types& types,
                            const std::function<Status(Values)>& take) {
  SHEAF_ASSIGN(auto rows, database_.Query(sql, ToSqlite(values)));
  while (true) {
    SHEAF_ASSIGN(const bool more, rows.Next());
    if (!more) return Done();
    Values read;
    read.reserve(types.size());
    for (size_t i = 0; i < types.size(); ++i) {
      SHEAF_ASSIGN(Value value, Read(rows, static_cast<int>(i), types[i]));
      read.push_back(std::move(value));
    }
    SHEAF_TRY(take(std::move(read)));
  }
}

}  // namespace sheaf::persistence
