#include "sheaf/wire/records/dialect.h"

namespace sheaf::records {
namespace {

Sql::Literal SqliteType(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return "TEXT";
    case ColumnType::kBlob:
    case ColumnType::kUuid: return "BLOB";
    case ColumnType::kBoolean:
    case ColumnType::kInteger:
    case ColumnType::kLong: return "INTEGER";
    case ColumnType::kDouble: return "REAL";
  }
  __builtin_unreachable();
}

Sql::Literal PostgresType(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return "text";
    case ColumnType::kBlob: return "bytea";
    case ColumnType::kBoolean: return "boolean";
    case ColumnType::kInteger: return "integer";
    case ColumnType::kLong: return "bigint";
    case ColumnType::kDouble: return "double precision";
    case ColumnType::kUuid: return "uuid";
  }
  __builtin_unreachable();
}

Sql::Literal CqlType(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return "varchar";
    case ColumnType::kBlob: return "blob";
    case ColumnType::kBoolean: return "boolean";
    case ColumnType::kInteger: return "int";
    case ColumnType::kLong: return "bigint";
    case ColumnType::kDouble: return "double";
    case ColumnType::kUuid: return "uuid";
  }
  __builtin_unreachable();
}

}  // namespace

std::string_view DialectName(Dialect dialect) {
  switch (dialect) {
    case Dialect::kSqlite: return "sqlite";
    case Dialect::kPostgres: return "postgres";
    case Dialect::kCql: return "cql";
  }
  __builtin_unreachable();
}

std::optional<Dialect> FindDialect(std::string_view name) {
  for (const Dialect dialect : {Dialect::kSqlite, Dialect::kPostgres, Dialect::kCql}) {
    if (DialectName(dialect) == name) return dialect;
  }
  return std::nullopt;
}

Sql TypeName(ColumnType type, Dialect dialect) {
  switch (dialect) {
    case Dialect::kSqlite: return SqliteType(type);
    case Dialect::kPostgres: return PostgresType(type);
    case Dialect::kCql: return CqlType(type);
  }
  __builtin_unreachable();
}

Sql Parameter(size_t n, Dialect dialect) {
  switch (dialect) {
    case Dialect::kSqlite: return Sql("?") + Sql::Number(static_cast<int64_t>(n));
    case Dialect::kPostgres: return Sql("$") + Sql::Number(static_cast<int64_t>(n));
    case Dialect::kCql: return Sql("?");
  }
  __builtin_unreachable();
}

std::string_view TypeWord(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return "string";
    case ColumnType::kBlob: return "blob";
    case ColumnType::kBoolean: return "boolean";
    case ColumnType::kInteger: return "integer";
    case ColumnType::kLong: return "long";
    case ColumnType::kDouble: return "double";
    case ColumnType::kUuid: return "uuid";
  }
  __builtin_unreachable();
}

}  // namespace sheaf::records
