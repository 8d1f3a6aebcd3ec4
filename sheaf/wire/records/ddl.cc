#include "sheaf/wire/records/ddl.h"

#include <algorithm>

#include "sheaf/base/core/check.h"

namespace sheaf::records {
namespace {

bool Exists(const Table& table, const Property& property, Dialect dialect) {
  return dialect == Dialect::kCql ? !property.is_meta : table.IsColumn(property);
}

std::vector<std::string_view> KeyOf(const Table& table) {
  std::vector<std::string_view> key;
  for (const Property& property : table.properties) {
    if (property.primary_key) key.push_back(property.column);
  }
  return key;
}

Sql Names(std::span<const std::string_view> names) {
  Sql list;
  for (const auto name : names) {
    if (!list.empty()) list += ",";
    list += Sql::Name(name);
  }
  return list;
}

// SQLite: a table without blobs is its key's tree; large rows would make that tree slow.
Sql Tail(const Table& table, Dialect dialect) {
  if (dialect == Dialect::kCql && !table.descending.empty()) {
    return Sql(" WITH CLUSTERING ORDER BY (") + Sql::Name(table.descending) + " desc)";
  }
  if (dialect != Dialect::kSqlite) return {};
  const bool blobs =
      std::any_of(table.properties.begin(), table.properties.end(),
                  [&](const auto& p) { return table.IsColumn(p) && p.type == ColumnType::kBlob; });
  return blobs ? Sql(" STRICT") : Sql(" STRICT, WITHOUT ROWID");
}

Sql CreateTable(const Table& table, Dialect dialect) {
  Sql sql("CREATE TABLE IF NOT EXISTS ");
  sql += Sql::Name(table.name) + " (";
  for (const Property& property : table.properties) {
    if (!Exists(table, property, dialect)) continue;
    sql += Sql::Name(property.column) + " " + TypeName(property.type, dialect);
    if (property.primary_key && dialect != Dialect::kCql) sql += " NOT NULL";
    sql += ", ";
  }
  return sql + "PRIMARY KEY(" + KeyList(table) + "))" + Tail(table, dialect);
}

// ` WHERE "a"=?3 AND "b"=?4` for the key's first parts.
Sql WhereKey(const Table& table, Dialect dialect, size_t key_parts, size_t first) {
  Sql sql(" WHERE ");
  const auto key = KeyOf(table);
  SHEAF_CHECK(key_parts >= 1 && key_parts <= key.size());
  for (size_t i = 0; i < key_parts; ++i) {
    if (i > 0) sql += " AND ";
    sql += Sql::Name(key[i]) + "=" + Parameter(first + i, dialect);
  }
  return sql;
}

}  // namespace

std::vector<Sql> Ddl(const Table& table, Dialect dialect) {
  std::vector<Sql> made = {CreateTable(table, dialect)};
  for (const Property& property : table.properties) {
    if (!property.index || !Exists(table, property, dialect)) continue;
    made.push_back(Sql("CREATE INDEX IF NOT EXISTS ") +
                   Sql::IndexName(table.name, property.column) + " ON " + Sql::Name(table.name) +
                   "(" + Sql::Name(property.column) + ")");
  }
  if (dialect == Dialect::kCql && !table.cql_index.empty()) {
    made.push_back(Sql("CREATE INDEX IF NOT EXISTS ON ") + Sql::Name(table.name) + "(" +
                   Sql::Name(table.cql_index) + ")");
  }
  return made;
}

std::string DdlText(std::span<const Table* const> tables, Dialect dialect) {
  std::string text;
  for (const Table* table : tables) {
    for (const Sql& sql : Ddl(*table, dialect)) text += sql.text() + ";\n";
  }
  return text;
}

Sql ColumnList(const Table& table) {
  std::vector<std::string_view> names;
  for (const Property& property : table.properties) {
    if (table.IsColumn(property)) names.push_back(property.column);
  }
  return Names(names);
}

Sql KeyList(const Table& table) { return Names(KeyOf(table)); }

Sql Insert(const Table& table, Dialect dialect) {
  Sql values;
  for (size_t i = 0; i < table.columns(); ++i) {
    if (i > 0) values += ",";
    values += Parameter(i + 1, dialect);
  }
  return Sql("INSERT INTO ") + Sql::Name(table.name) + " (" + ColumnList(table) + ") VALUES (" +
         values + ")";
}

Sql InsertIfAbsent(const Table& table, Dialect dialect) {
  if (dialect == Dialect::kCql) return Insert(table, dialect) + " IF NOT EXISTS";
  return Insert(table, dialect) + " ON CONFLICT DO NOTHING";
}

Sql Upsert(const Table& table, Dialect dialect) {
  Sql sql = Insert(table, dialect);
  if (dialect == Dialect::kCql) return sql;  // There every insert is one.
  sql += Sql(" ON CONFLICT(") + KeyList(table) + ") DO ";
  Sql sets;
  for (const Property& property : table.properties) {
    if (!table.IsColumn(property) || property.primary_key) continue;
    if (!sets.empty()) sets += ",";
    sets += Sql::Name(property.column) + "=excluded." + Sql::Name(property.column);
  }
  return sets.empty() ? sql + "NOTHING" : sql + "UPDATE SET " + sets;
}

Sql Update(const Table& table, Dialect dialect, std::span<const std::string_view> pnames) {
  Sql sql = Sql("UPDATE ") + Sql::Name(table.name) + " SET ";
  size_t n = 0;
  for (const auto pname : pnames) {
    const auto place = table.Place(pname);
    SHEAF_CHECK(place.has_value());
    if (n > 0) sql += ",";
    sql += Sql::Name(table.ColumnAt(*place).column) + "=" + Parameter(++n, dialect);
  }
  return sql + WhereKey(table, dialect, KeyOf(table).size(), n + 1);
}

Sql Select(const Table& table) {
  return Sql("SELECT ") + ColumnList(table) + " FROM " + Sql::Name(table.name);
}

Sql SelectByKey(const Table& table, Dialect dialect, size_t key_parts) {
  return Select(table) + WhereKey(table, dialect, key_parts, 1);
}

Sql DeleteByKey(const Table& table, Dialect dialect, size_t key_parts) {
  return Sql("DELETE FROM ") + Sql::Name(table.name) + WhereKey(table, dialect, key_parts, 1);
}

}  // namespace sheaf::records
