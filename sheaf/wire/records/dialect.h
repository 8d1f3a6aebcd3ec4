// The three dialects in which a table can be said, and what differs between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sheaf/base/core/sql.h"
#include "sheaf/wire/records/property.h"

namespace sheaf::records {

enum class Dialect : uint8_t { kSqlite, kPostgres, kCql };

// "sqlite", "postgres", "cql".
std::string_view DialectName(Dialect dialect);
std::optional<Dialect> FindDialect(std::string_view name);

// The type of a column: "TEXT", "bytea", "varchar", …
Sql TypeName(ColumnType type, Dialect dialect);
// The n-th bound value, from 1: ?1, $1, ?.
Sql Parameter(size_t n, Dialect dialect);
// "string", "blob", "boolean", "integer", "long", "double", "uuid".
std::string_view TypeWord(ColumnType type);

}  // namespace sheaf::records
