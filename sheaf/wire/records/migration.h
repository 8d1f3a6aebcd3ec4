// From the tables a database has to those of this program: the statements between, or why not.
#pragma once

#include <string>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/wire/command/json.h"
#include "sheaf/wire/records/dialect.h"

namespace sheaf::records {

// A table as a database has it; names come from there and are compared, never said.
struct Shape {
  struct Column {
    std::string name;
    ColumnType type = ColumnType::kString;
    bool key = false;
    bool index = false;
    bool operator==(const Column&) const = default;
  };
  std::string table;
  std::vector<Column> columns;
  bool operator==(const Shape&) const = default;
};

Shape ShapeOf(const Table& table);

// What a database keeps beside its tables, to know them again. kInvalid when malformed.
Json ToJson(const Shape& shape);
Result<Shape> ShapeFromJson(const Json& json);

// Statements that make `target` out of what is there: a missing table is created, missing columns
// and indexes are added, needless indexes dropped. kUnsupported names what no statement can do
// without losing rows: a column that went, a changed type or key.
Result<std::vector<Sql>> Migrate(const Shape* present, const Table& target, Dialect dialect);

}  // namespace sheaf::records
