// PLAN  nothing there: the whole table · nothing changed: nothing to do · columns and indexes are
//       added, needless indexes go · a lost column, another type or key are refused and named ·
//       shapes survive as JSON, malformed ones are refused
#include "sheaf/wire/records/migration.h"

#include <gtest/gtest.h>

#include "sheaf/wire/records/ddl.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::records {
namespace {

std::vector<std::string> Texts(const std::vector<Sql>& statements) {
  std::vector<std::string> texts;
  for (const Sql& sql : statements) texts.push_back(sql.text());
  return texts;
}

TEST(MigrationTest, MissingTableIsCreated) {
  EXPECT_EQ(Migrate(nullptr, kJobs, Dialect::kSqlite).value(), Ddl(kJobs, Dialect::kSqlite));
}

TEST(MigrationTest, NothingChangedIsNothingToDo) {
  for (const Table* table : kTables) {
    const Shape shape = ShapeOf(*table);
    EXPECT_TRUE(Migrate(&shape, *table, Dialect::kPostgres)->empty()) << table->name;
  }
}

TEST(MigrationTest, ColumnsAndIndexesAreAddedAndNeedlessIndexesGo) {
  Shape shape = ShapeOf(kReservations);
  std::erase_if(shape.columns, [](const auto& c) { return c.name == "type"; });
  for (auto& column : shape.columns) {
    if (column.name == "hosts") column.index = true;
    if (column.name == "class") column.index = false;
  }
  EXPECT_EQ(Texts(Migrate(&shape, kReservations, Dialect::kPostgres).value()),
            (std::vector<std::string>{
                "CREATE INDEX IF NOT EXISTS \"reservations_class_idx\" ON "
                "\"reservations\"(\"class\")",
                "ALTER TABLE \"reservations\" ADD COLUMN \"type\" text",
                "CREATE INDEX IF NOT EXISTS \"reservations_type_idx\" ON "
                "\"reservations\"(\"type\")",
                "DROP INDEX IF EXISTS \"reservations_hosts_idx\"",
            }));
}

TEST(MigrationTest, WhatLosesRowsIsRefusedAndNamed) {
  const auto refused = [](const Shape& shape) {
    const auto statements = Migrate(&shape, kOrprops, Dialect::kSqlite);
    EXPECT_FALSE(statements.ok());
    return statements.ok() ? std::string() : statements.error().message;
  };
  Shape lost = ShapeOf(kOrprops);
  lost.columns.push_back({"gone", ColumnType::kString, false, false});
  EXPECT_NE(refused(lost).find("orprops.gone"), std::string::npos);
  Shape typed = ShapeOf(kOrprops);
  typed.columns[1].type = ColumnType::kLong;
  EXPECT_NE(refused(typed).find("orprops.value"), std::string::npos);
  Shape keyed = ShapeOf(kOrprops);
  keyed.columns[1].key = true;
  EXPECT_NE(refused(keyed).find("orprops.value"), std::string::npos);
  Shape keyless = ShapeOf(kOrprops);
  keyless.columns.erase(keyless.columns.begin());
  EXPECT_NE(refused(keyless).find("orprops.name"), std::string::npos);
}

TEST(MigrationTest, ShapesSurviveAsJson) {
  for (const Table* table : kTables) {
    const Shape shape = ShapeOf(*table);
    EXPECT_EQ(ShapeFromJson(ToJson(shape)).value(), shape);
  }
  EXPECT_FALSE(ShapeFromJson(Json::array()).ok());
  EXPECT_FALSE(ShapeFromJson({{"table", "t"}, {"columns", {{{"name", "a"}, {"type", "x"}}}}}).ok());
}

}  // namespace
}  // namespace sheaf::records
