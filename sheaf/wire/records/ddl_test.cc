// PLAN  each dialect's exact words for a table of every kind · names are quoted, values bound · a
//       forgotten meta flag makes no column · indexes are on columns, not on pnames · statements
//       bind as many values as they name columns · SQL takes no text of the world
#include "sheaf/wire/records/ddl.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sheaf/wire/records/tables.h"

namespace sheaf::records {
namespace {

std::string One(const Table& table, Dialect dialect) {
  const std::array<const Table*, 1> one = {&table};
  return DdlText(one, dialect);
}

TEST(DdlTest, CqlIsWordForWordTheContracts) {
  EXPECT_EQ(One(kJobHistory, Dialect::kCql),
            "CREATE TABLE IF NOT EXISTS \"job_history\" (\"type\" varchar, \"ducc_id\" bigint, "
            "\"history\" boolean, \"work\" blob, PRIMARY KEY(\"type\",\"ducc_id\")) WITH "
            "CLUSTERING ORDER BY (\"ducc_id\" desc);\n"
            "CREATE INDEX IF NOT EXISTS \"job_history_history_idx\" ON "
            "\"job_history\"(\"history\");\n");
  EXPECT_EQ(One(kDaemonLifetime, Dialect::kCql),
            "CREATE TABLE IF NOT EXISTS \"daemonLifetime\" (\"daemonLifetime\" varchar, \"host\" "
            "varchar, \"daemon\" varchar, \"state\" varchar, \"tod\" bigint, "
            "PRIMARY KEY(\"host\",\"daemon\"));\n");
  const std::string registry = One(kSmmeta, Dialect::kCql);
  EXPECT_NE(registry.find("\nCREATE INDEX IF NOT EXISTS ON \"smmeta\"(\"is_archived\");\n"),
            std::string::npos);
  EXPECT_NE(One(kRmshares, Dialect::kCql).find("\"uuid\" uuid,"), std::string::npos);
}

TEST(DdlTest, SqliteAndPostgresHaveTypesAndKeysOfTheirOwn) {
  EXPECT_EQ(One(kOrprops, Dialect::kSqlite),
            "CREATE TABLE IF NOT EXISTS \"orprops\" (\"name\" TEXT NOT NULL, \"value\" TEXT, "
            "PRIMARY KEY(\"name\")) STRICT, WITHOUT ROWID;\n");
  EXPECT_EQ(One(kOrckpt, Dialect::kPostgres),
            "CREATE TABLE IF NOT EXISTS \"orckpt\" (\"id\" integer NOT NULL, \"work\" bytea, "
            "\"p2jmap\" bytea, PRIMARY KEY(\"id\"));\n");
  EXPECT_NE(One(kRmshares, Dialect::kPostgres).find("\"uuid\" uuid"), std::string::npos);
  EXPECT_NE(One(kRmshares, Dialect::kSqlite).find("\"uuid\" BLOB"), std::string::npos);
}

TEST(DdlTest, ForgottenMetaFlagMakesNoPhantomColumnInSql) {
  for (const Dialect dialect : {Dialect::kSqlite, Dialect::kPostgres}) {
    const std::string ddl = One(kDaemonLifetime, dialect);
    EXPECT_EQ(ddl.find("\"daemonLifetime\" TEXT"), std::string::npos) << ddl;
    EXPECT_EQ(ddl.find("\"daemonLifetime\" text"), std::string::npos) << ddl;
  }
  EXPECT_EQ(kDaemonLifetime.columns(), 4u);
}

TEST(DdlTest, IndexesAreOnColumnsNotOnPnames) {
  const std::string ddl = One(kJobs, Dialect::kSqlite);
  EXPECT_NE(ddl.find("\"jobs_class_idx\" ON \"jobs\"(\"class\");"), std::string::npos);
  EXPECT_EQ(One(kSmmeta, Dialect::kPostgres).find("disable-reason"), std::string::npos);
}

TEST(DdlTest, EveryStatementIsOneLineWithItsEnd) {
  for (const Dialect dialect : {Dialect::kSqlite, Dialect::kPostgres, Dialect::kCql}) {
    const std::string text = DdlText(kTables, dialect);
    size_t indexes = 0;
    for (const Table* table : kTables) {
      for (const Property& property : table->properties) indexes += property.index ? 1 : 0;
      if (dialect == Dialect::kCql && !table->cql_index.empty()) ++indexes;
    }
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'),
              static_cast<int64_t>(kTables.size() + indexes));
    EXPECT_EQ(std::count(text.begin(), text.end(), ';'),
              std::count(text.begin(), text.end(), '\n'));
  }
}

TEST(DdlTest, StatementsNameWhatTheyBind) {
  EXPECT_EQ(Insert(kOrprops, Dialect::kSqlite).text(),
            "INSERT INTO \"orprops\" (\"name\",\"value\") VALUES (?1,?2)");
  EXPECT_EQ(InsertIfAbsent(kOrprops, Dialect::kPostgres).text(),
            "INSERT INTO \"orprops\" (\"name\",\"value\") VALUES ($1,$2) ON CONFLICT DO NOTHING");
  EXPECT_EQ(Upsert(kDuccworks, Dialect::kPostgres).text(),
            "INSERT INTO \"duccworks\" (\"type\",\"ducc_id\",\"specification\") VALUES ($1,$2,$3) "
            "ON CONFLICT(\"type\",\"ducc_id\") DO UPDATE SET "
            "\"specification\"=excluded.\"specification\"");
  const std::array<std::string_view, 2> names = {"service-state", "user"};
  EXPECT_EQ(Update(kSmmeta, Dialect::kSqlite, names).text(),
            "UPDATE \"smmeta\" SET \"service_state\"=?1,\"user\"=?2 WHERE \"numeric_id\"=?3");
  EXPECT_EQ(SelectByKey(kJobHistory, Dialect::kPostgres, 1).text(),
            "SELECT \"type\",\"ducc_id\",\"history\",\"work\" FROM \"job_history\" WHERE "
            "\"type\"=$1");
  EXPECT_EQ(DeleteByKey(kOrckpt, Dialect::kSqlite, 1).text(),
            "DELETE FROM \"orckpt\" WHERE \"id\"=?1");
  EXPECT_EQ(Insert(kOrprops, Dialect::kCql).text(),
            "INSERT INTO \"orprops\" (\"name\",\"value\") VALUES (?,?)");
}

TEST(DdlTest, EveryInsertBindsOneValueAColumn) {
  for (const Table* table : kTables) {
    const std::string sql = Insert(*table, Dialect::kSqlite).text();
    EXPECT_EQ(static_cast<size_t>(std::count(sql.begin(), sql.end(), '?')), table->columns());
    EXPECT_NE(sql.find("?" + std::to_string(table->columns()) + ")"), std::string::npos);
  }
}

TEST(DdlTest, DialectsAreFoundByName) {
  EXPECT_EQ(FindDialect("cql"), Dialect::kCql);
  EXPECT_EQ(FindDialect("mysql"), std::nullopt);
}

static_assert(!std::is_constructible_v<Sql, std::string>);
static_assert(!std::is_constructible_v<Sql, std::string_view>);
static_assert(!std::is_constructible_v<Sql, const char*>);

}  // namespace
}  // namespace sheaf::records
