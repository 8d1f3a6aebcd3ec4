// What differs between the databases that share the SQL of this room, beside wire/records'
// dialects.
#pragma once

#include <optional>

#include "sheaf/base/core/check.h"
#include "sheaf/base/core/sql.h"
#include "sheaf/wire/records/dialect.h"

namespace sheaf::persistence {

// At the end of a SELECT: its rows are nobody else's to change until the transaction is over.
inline Sql HoldingRows(records::Dialect dialect) {
  switch (dialect) {
    case records::Dialect::kSqlite: return {};  // Its transactions write one after another.
    case records::Dialect::kPostgres: return Sql(" FOR UPDATE");
    case records::Dialect::kCql: break;
  }
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  __builtin_unreachable();
}

// A query after which no other transaction that asked the same is running; empty when there never
// is one. For what no row stands for yet: the schema, the first row of a scope.
inline Sql WaitingForOthers(records::Dialect dialect) {
  switch (dialect) {
    case records::Dialect::kSqlite: return {};
    case records::Dialect::kPostgres: {
      constexpr int64_t kSheaf = 0x7368656166;  // "sheaf"
      return Sql("SELECT pg_advisory_xact_lock(") + Sql::Number(kSheaf) + ")";
    }
    case records::Dialect::kCql: break;
  }
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  __builtin_unreachable();
}

// A query of one text after which, for the transaction, many keys are looked up one by one in their
// index, also by a database that still takes a table that grew this minute for a small one. Empty
// where that goes without saying.
inline Sql LookingUpKeys(records::Dialect dialect) {
  switch (dialect) {
    case records::Dialect::kSqlite: return {};
    case records::Dialect::kPostgres:
      return Sql("SELECT set_config('enable_seqscan', 'off', true)");
    case records::Dialect::kCql: break;
  }
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  __builtin_unreachable();
}

// Where a text begins in another, from 1; 0: nowhere.
inline Sql PlaceIn(const Sql& text, const Sql& part, records::Dialect dialect) {
  switch (dialect) {
    case records::Dialect::kSqlite: return Sql("instr(") + text + "," + part + ")";
    case records::Dialect::kPostgres: return Sql("strpos(") + text + "," + part + ")";
    case records::Dialect::kCql: break;
  }
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  __builtin_unreachable();
}

// How many bytes a text or blob has.
inline Sql BytesIn(const Sql& column, records::Dialect dialect) {
  switch (dialect) {
    case records::Dialect::kSqlite: return Sql("length(CAST(") + column + " AS BLOB))";
    case records::Dialect::kPostgres: return Sql("octet_length(") + column + ")";
    case records::Dialect::kCql: break;
  }
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  __builtin_unreachable();
}

// All rows go, whatever they are.
inline Sql Emptying(const Sql& table, records::Dialect dialect) {
  switch (dialect) {
    case records::Dialect::kSqlite: return Sql("DELETE FROM ") + table;
    case records::Dialect::kPostgres: return Sql("TRUNCATE ") + table;
    case records::Dialect::kCql: break;
  }
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  __builtin_unreachable();
}

}  // namespace sheaf::persistence
