// PLAN  values come back as they were bound · a transaction rolls back unless committed · errors
//       have kinds and name the file · a statement may run twice at once · SQL made of literals and
//       names is taken too · a new file is not for everybody
#include "sheaf/drivers/sqlite/sqlite.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "testkit/temporary.h"

namespace sheaf::sqlite {
namespace {

class SqliteTest : public testing::Test {
 protected:
  std::unique_ptr<Database> Open(OpenOptions::Mode mode = OpenOptions::Mode::kCreate) {
    return Database::Open({.path = path_, .mode = mode}).value();
  }
  testkit::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/test.sqlite";
};

int64_t Count(Database& database) {
  auto rows = database.Query("select count(*) from t").value();
  EXPECT_TRUE(rows.Next().value());
  return rows.Integer(0);
}

TEST_F(SqliteTest, ValuesComeBackAsTheyWereBound) {
  auto database = Open();
  ASSERT_TRUE(database->Script("create table t(a, b, c, d, e); create index i on t(a)").ok());
  const std::string blob("\0\1\2", 3);
  ASSERT_TRUE(database
                  ->Run("insert into t values(?, ?, ?, ?, ?)",
                        {int64_t{1} << 62, 1.5, std::string_view("text"), Blob{blob}, Null{}})
                  .ok());
  EXPECT_EQ(database->changes(), 1);
  auto rows =
      database->Query("select a, b, c, d, e from t where a = ?", {int64_t{1} << 62}).value();
  ASSERT_TRUE(rows.Next().value());
  EXPECT_EQ(rows.Integer(0), int64_t{1} << 62);
  EXPECT_EQ(rows.Real(1), 1.5);
  EXPECT_EQ(rows.Text(2), "text");
  EXPECT_EQ(rows.Bytes(3), blob);
  EXPECT_TRUE(rows.IsNull(4));
  EXPECT_FALSE(rows.Next().value());
}

TEST_F(SqliteTest, ANewFileIsNotForEverybody) {
  ASSERT_TRUE(Open()->Run("create table t(a)").ok());
  using std::filesystem::perms;
  const perms others = std::filesystem::status(path_).permissions() & perms::others_all;
  EXPECT_EQ(others, perms::none);
}

TEST_F(SqliteTest, EmptyTextAndEmptyBlobAreNotNull) {
  auto database = Open();
  ASSERT_TRUE(database->Script("create table t(a, b)").ok());
  ASSERT_TRUE(database->Run("insert into t values(?, ?)", {std::string_view(), Blob{}}).ok());
  auto rows = database->Query("select a, b from t").value();
  ASSERT_TRUE(rows.Next().value());
  EXPECT_FALSE(rows.IsNull(0));
  EXPECT_FALSE(rows.IsNull(1));
}

TEST_F(SqliteTest, TransactionRollsBackUnlessCommitted) {
  auto database = Open();
  ASSERT_TRUE(database->Script("create table t(a)").ok());
  {
    auto transaction = Transaction::Begin(*database).value();
    ASSERT_TRUE(database->Run("insert into t values(1)").ok());
  }
  EXPECT_EQ(Count(*database), 0);
  auto transaction = Transaction::Begin(*database).value();
  ASSERT_TRUE(database->Run("insert into t values(1)").ok());
  ASSERT_TRUE(transaction.Commit().ok());
  EXPECT_EQ(Count(*database), 1);
}

TEST_F(SqliteTest, ConstraintIsConflictAndNamesTheFile) {
  auto database = Open();
  ASSERT_TRUE(database->Script("create table t(a primary key)").ok());
  ASSERT_TRUE(database->Run("insert into t values(1)").ok());
  const Status again = database->Run("insert into t values(1)");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, Kind::kConflict);
  EXPECT_NE(again.error().message.find(path_), std::string::npos);
  EXPECT_TRUE(database->Run("delete from t").ok());  // The statement before is over.
}

TEST_F(SqliteTest, SqlOfLiteralsAndNamesIsPreparedAndKeptByItsText) {
  auto database = Open();
  ASSERT_TRUE(database->Script("create table t(\"user\", b)").ok());
  for (int64_t i = 0; i < 3; ++i) {
    const Sql insert =
        Sql("insert into ") + Sql::Name("t") + "(" + Sql::Name("user") + ") values(?1)";
    const std::vector<Value> values = {i};
    ASSERT_TRUE(database->Run(insert, values).ok());
  }
  EXPECT_EQ(Count(*database), 3);
  const Sql select =
      Sql("select ") + Sql::Name("user") + " from t order by 1 limit " + Sql::Number(2);
  auto rows = database->Query(select).value();
  auto beside = database->Query(select).value();
  ASSERT_TRUE(rows.Next().value());
  ASSERT_TRUE(rows.Next().value());
  EXPECT_EQ(rows.Integer(0), 1);
  ASSERT_TRUE(beside.Next().value());
  EXPECT_EQ(beside.Integer(0), 0);
  EXPECT_FALSE(rows.Next().value());
}

TEST_F(SqliteTest, FileThatIsNoDatabaseIsCorrupt) {
  std::ofstream(path_) << std::string(4096, 'x');
  auto database = Open();
  const Status read = database->Run("select * from sqlite_master");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, Kind::kCorrupt);
}

TEST_F(SqliteTest, MissingFileIsNotCreatedUnlessAsked) {
  const auto opened = Database::Open({.path = path_, .mode = OpenOptions::Mode::kReadWrite});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, Kind::kDependency);
}

TEST_F(SqliteTest, ReadOnlyIsForbidden) {
  ASSERT_TRUE(Open()->Script("create table t(a)").ok());
  auto database = Open(OpenOptions::Mode::kReadOnly);
  EXPECT_EQ(Count(*database), 0);
  const Status write = database->Run("insert into t values(1)");
  ASSERT_FALSE(write.ok());
  EXPECT_EQ(write.error().kind, Kind::kForbidden);
}

TEST_F(SqliteTest, OneStatementMayRunTwiceAtOnce) {
  auto database = Open();
  ASSERT_TRUE(database->Script("create table t(a); insert into t values(1), (2)").ok());
  const auto select = [&] { return database->Query("select a from t order by a").value(); };
  auto first = select();
  ASSERT_TRUE(first.Next().value());
  {
    auto second = select();
    ASSERT_TRUE(second.Next().value());
    EXPECT_EQ(second.Integer(0), 1);
  }
  ASSERT_TRUE(first.Next().value());
  EXPECT_EQ(first.Integer(0), 2);
}

}  // namespace
}  // namespace sheaf::sqlite
