#include "sheaf/wire/records/migration.h"

#include <algorithm>

#include "sheaf/wire/records/ddl.h"

namespace sheaf::records {
namespace {

Result<ColumnType> FindType(std::string_view word) {
  for (const ColumnType type :
       {ColumnType::kString, ColumnType::kBlob, ColumnType::kBoolean, ColumnType::kInteger,
        ColumnType::kLong, ColumnType::kDouble, ColumnType::kUuid}) {
    if (TypeWord(type) == word) return type;
  }
  return Fail(Kind::kInvalid, "unknown column type '" + std::string(word) + "'");
}

const Shape::Column* Find(const Shape& shape, std::string_view name) {
  for (const auto& column : shape.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Error Impossible(const Table& table, std::string_view column, std::string_view why) {
  return Fail(Kind::kUnsupported, "no migration of " + std::string(table.name) + "." +
                                      std::string(column) + ": " + std::string(why));
}

Sql AddColumn(const Table& table, const Property& property, Dialect dialect) {
  Sql sql = Sql("ALTER TABLE ") + Sql::Name(table.name);
  sql += dialect == Dialect::kCql ? Sql(" ADD ") : Sql(" ADD COLUMN ");
  return sql + Sql::Name(property.column) + " " + TypeName(property.type, dialect);
}

Sql AddIndex(const Table& table, const Property& property) {
  return Sql("CREATE INDEX IF NOT EXISTS ") + Sql::IndexName(table.name, property.column) + " ON " +
         Sql::Name(table.name) + "(" + Sql::Name(property.column) + ")";
}

// One column of the target against what is there.
Status MigrateColumn(const Table& table, const Property& property, const Shape::Column* there,
                     Dialect dialect, std::vector<Sql>& statements) {
  if (there == nullptr) {
    if (property.primary_key) return Impossible(table, property.column, "a new part of the key");
    statements.push_back(AddColumn(table, property, dialect));
  } else {
    if (there->type != property.type) return Impossible(table, property.column, "its type changed");
    if (there->key != property.primary_key) return Impossible(table, property.column, "the key");
    if (there->index && !property.index) {
      statements.push_back(Sql("DROP INDEX IF EXISTS ") +
                           Sql::IndexName(table.name, property.column));
    }
  }
  if (property.index && (there == nullptr || !there->index)) {
    statements.push_back(AddIndex(table, property));
  }
  return Done();
}

}  // namespace

Shape ShapeOf(const Table& table) {
  Shape shape{std::string(table.name), {}};
  for (const Property& property : table.properties) {
    if (!table.IsColumn(property)) continue;
    shape.columns.push_back(
        {std::string(property.column), property.type, property.primary_key, property.index});
  }
  return shape;
}

Json ToJson(const Shape& shape) {
  Json columns = Json::array();
  for (const auto& column : shape.columns) {
    columns.push_back({{"name", column.name},
                       {"type", TypeWord(column.type)},
                       {"key", column.key},
                       {"index", column.index}});
  }
  return {{"table", shape.table}, {"columns", std::move(columns)}};
}

Result<Shape> ShapeFromJson(const Json& json) {
  command::ObjectReader read(json, "shape");
  Shape shape;
  SHEAF_ASSIGN(shape.table, read.RequiredString("table"));
  const Json* columns = read.Take("columns");
  if (columns == nullptr || !columns->is_array()) return read.Bad("columns", "a list");
  for (const Json& each : *columns) {
    command::ObjectReader column(each, "shape.columns");
    SHEAF_ASSIGN(std::string name, column.RequiredString("name"));
    SHEAF_ASSIGN(const std::string word, column.RequiredString("type"));
    SHEAF_ASSIGN(const ColumnType type, FindType(word));
    SHEAF_ASSIGN(const bool key, column.Boolean("key", false));
    SHEAF_ASSIGN(const bool index, column.Boolean("index", false));
    SHEAF_TRY(column.Finish());
    shape.columns.push_back({std::move(name), type, key, index});
  }
  SHEAF_TRY(read.Finish());
  return shape;
}

Result<std::vector<Sql>> Migrate(const Shape* present, const Table& target, Dialect dialect) {
  if (present == nullptr) return Ddl(target, dialect);
  std::vector<Sql> statements;
  for (const Property& property : target.properties) {
    if (!target.IsColumn(property)) continue;
    SHEAF_TRY(
        MigrateColumn(target, property, Find(*present, property.column), dialect, statements));
  }
  const Shape wanted = ShapeOf(target);
  for (const auto& column : present->columns) {
    if (Find(wanted, column.name) == nullptr) {
      return Impossible(target, column.name, "this program does not know it");
    }
  }
  return statements;
}

}  // namespace sheaf::records
