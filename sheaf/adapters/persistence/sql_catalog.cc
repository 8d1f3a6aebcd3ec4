#include "sheaf/adapters/persistence/sql_catalog.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "sheaf/adapters/persistence/sql_versions.h"

namespace sheaf::persistence {
namespace {

constexpr Sql::Literal kSqliteTables = "SELECT name FROM sqlite_master WHERE type='table'";
constexpr Sql::Literal kPostgresTables =
    "SELECT tablename::text FROM pg_tables WHERE schemaname=current_schema()";

// Table, column, type, place in the key or 0.
constexpr Sql::Literal kSqliteColumns =
    "SELECT m.name, p.name, p.type, p.pk FROM sqlite_master m, pragma_table_info(m.name) p "
    "WHERE m.type='table'";
constexpr Sql::Literal kPostgresColumns =
    "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)::text, "
    "coalesce((SELECT k.n FROM unnest(i.indkey) WITH ORDINALITY k(attnum, n) "
    "WHERE k.attnum=a.attnum), 0) "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid=c.oid "
    "LEFT JOIN pg_index i ON i.indrelid=c.oid AND i.indisprimary "
    "WHERE c.relnamespace=current_schema()::regnamespace AND c.relkind IN ('r','p') "
    "AND a.attnum>0 AND NOT a.attisdropped";

// Table, index, column; a row for each column in order.
constexpr Sql::Literal kSqliteIndexes =
    "SELECT m.tbl_name, m.name, coalesce(p.name, '?') "
    "FROM sqlite_master m, pragma_index_info(m.name) p "
    "WHERE m.type='index' AND m.sql IS NOT NULL ORDER BY m.name, p.seqno";
constexpr Sql::Literal kPostgresIndexes =
    "SELECT t.relname::text, x.relname::text, coalesce(a.attname::text, '?') "
    "FROM pg_index i JOIN pg_class x ON x.oid=i.indexrelid JOIN pg_class t ON t.oid=i.indrelid "
    "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(attnum, n) "
    "LEFT JOIN pg_attribute a ON a.attrelid=t.oid AND a.attnum=k.attnum AND a.attnum>0 "
    "WHERE NOT i.indisprimary AND t.relnamespace=current_schema()::regnamespace "
    "ORDER BY x.relname, k.n";

Sql For(records::Dialect dialect, Sql::Literal sqlite, Sql::Literal postgres) {
  SHEAF_CHECK(dialect != records::Dialect::kCql);
  return dialect == records::Dialect::kSqlite ? Sql(sqlite) : Sql(postgres);
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string ColumnLine(const std::string& table, const std::string& column,
                       const std::string& type, int64_t key) {
  std::string line = "column " + table + "." + column + " " + Lower(type);
  if (key > 0) line += ", key " + std::to_string(key);
  return line;
}

std::string IndexLine(const std::string& table, const std::string& name,
                      const std::string& columns) {
  return "index " + name + " on " + table + "(" + columns + ")";
}

std::string TextOf(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string() : *text;
}

void ExpectTable(const Table& table, records::Dialect dialect, Catalog& catalog) {
  const std::string name(table.name);
  catalog.insert("table " + name);
  int64_t keys = 0;
  for (const auto& property : table.properties) {
    if (!table.IsColumn(property)) continue;
    catalog.insert(ColumnLine(name, std::string(property.column),
                              records::TypeName(property.type, dialect).text(),
                              property.primary_key ? ++keys : 0));
    if (!property.index) continue;
    std::string index = Sql::IndexName(table.name, property.column).text();
    std::erase(index, '"');
    catalog.insert(IndexLine(name, index, std::string(property.column)));
  }
}

}  // namespace

Catalog ExpectedCatalog(int64_t version, records::Dialect dialect) {
  Catalog catalog;
  for (const Table* table : TablesOf(version)) ExpectTable(*table, dialect, catalog);
  for (const PageIndex& index : PageIndexesOf(version)) {
    std::string columns;
    for (const auto column : index.columns) {
      columns += (columns.empty() ? "" : ",") + std::string(column);
    }
    catalog.insert(IndexLine(std::string(index.table), std::string(index.name), columns));
  }
  return catalog;
}

Result<std::set<std::string>> LiveTables(SqlSession& session) {
  std::set<std::string> names;
  SHEAF_TRY(session.Query(For(session.dialect(), kSqliteTables, kPostgresTables), {},
                          {ColumnType::kString}, [&](const Values& read) {
                            names.insert(TextOf(read[0]));
                            return Done();
                          }));
  return names;
}

Result<Catalog> LiveCatalog(SqlSession& session, int64_t version) {
  std::set<std::string> ours;
  for (const Table* table : TablesOf(version)) ours.emplace(table->name);
  Catalog catalog;
  SHEAF_TRY(session.Query(
      For(session.dialect(), kSqliteColumns, kPostgresColumns), {},
      {ColumnType::kString, ColumnType::kString, ColumnType::kString, ColumnType::kLong},
      [&](const Values& read) {
        const std::string table = TextOf(read[0]);
        if (!ours.contains(table)) return Done();
        catalog.insert("table " + table);
        catalog.insert(
            ColumnLine(table, TextOf(read[1]), TextOf(read[2]), std::get<int64_t>(read[3])));
        return Done();
      }));
  std::map<std::pair<std::string, std::string>, std::string> indexes;
  SHEAF_TRY(session.Query(For(session.dialect(), kSqliteIndexes, kPostgresIndexes), {},
                          {ColumnType::kString, ColumnType::kString, ColumnType::kString},
                          [&](const Values& read) {
                            if (!ours.contains(TextOf(read[0]))) return Done();
                            auto& columns = indexes[{TextOf(read[0]), TextOf(read[1])}];
                            columns += (columns.empty() ? "" : ",") + TextOf(read[2]);
                            return Done();
                          }));
  for (const auto& [names, columns] : indexes) {
    catalog.insert(IndexLine(names.first, names.second, columns));
  }
  return catalog;
}

std::vector<std::string> Drift(const Catalog& expected, const Catalog& live) {
  std::vector<std::string> drift;
  for (const auto& line : expected) {
    if (!live.contains(line)) drift.push_back("missing: " + line);
  }
  for (const auto& line : live) {
    if (!expected.contains(line)) drift.push_back("not of this schema: " + line);
  }
  return drift;
}

}  // namespace sheaf::persistence
