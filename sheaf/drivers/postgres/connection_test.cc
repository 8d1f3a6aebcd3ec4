// PLAN  values come back as they were bound, extremes, empty ones and 64 MiB · a NUL in a text is
//       refused before anything is sent · errors have kinds, say code and constraint, and name the
//       server without its password · a transaction rolls back unless committed; a failed one is
//       never committed · a snapshot sees one instant · a batch is one wait, and all or nothing ·
//       statements take no longer than they may, and can be cancelled · a transaction whose client
//       is silent ends · statements are kept, not without end
#include <limits>
#include <thread>

#include "sheaf/drivers/postgres/postgres_test.h"

namespace sheaf::postgres {
namespace {

using ConnectionTest = PostgresTest;

TEST_F(ConnectionTest, ValuesComeBackAsTheyWereBound) {
  auto connection = Open();
  ASSERT_TRUE(connection
                  ->Run(Sql("create table t(a bigint, b integer, c double precision, d text, "
                            "e bytea, f boolean, g uuid, h text, i smallint)"))
                  .ok());
  const std::string blob("\0\1\xFF", 3);
  Uuid uuid;
  for (size_t i = 0; i < uuid.bytes.size(); ++i) uuid.bytes[i] = static_cast<uint8_t>(i * 16);
  const std::vector<Value> values = {std::numeric_limits<int64_t>::min(),
                                     std::numeric_limits<int32_t>::min(),
                                     -1.5,
                                     std::string_view("'; drop table t; -- \xC3\xA9"),
                                     Blob{blob},
                                     true,
                                     uuid,
                                     Null{},
                                     int32_t{-7}};
  const auto inserted =
      connection->Run(Sql("insert into t values($1,$2,$3,$4,$5,$6,$7,$8,$9)"), values);
  ASSERT_TRUE(inserted.ok()) << inserted.error().message;
  EXPECT_EQ(*inserted, 1);
  const auto rows = connection->Query(Sql("select * from t where g=$1"), {{Value(uuid)}}).value();
  ASSERT_EQ(rows.size(), 1u);
  ASSERT_EQ(rows.columns(), 9u);
  EXPECT_EQ(std::get<int64_t>(rows.At(0, 0).value()), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(std::get<int32_t>(rows.At(0, 1).value()), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(std::get<double>(rows.At(0, 2).value()), -1.5);
  EXPECT_EQ(std::get<std::string_view>(rows.At(0, 3).value()), "'; drop table t; -- \xC3\xA9");
  EXPECT_EQ(std::get<Blob>(rows.At(0, 4).value()).bytes, blob);
  EXPECT_TRUE(std::get<bool>(rows.At(0, 5).value()));
  EXPECT_EQ(std::get<Uuid>(rows.At(0, 6).value()).bytes, uuid.bytes);
  EXPECT_TRUE(std::holds_alternative<Null>(rows.At(0, 7).value()));
  EXPECT_EQ(std::get<int32_t>(rows.At(0, 8).value()), -7);
}

TEST_F(ConnectionTest, EmptyTextAndEmptyBlobAreNotNull) {
  auto connection = Open();
  const std::vector<Value> values = {std::string_view(), Blob{}};
  const auto rows = connection->Query(Sql("select $1::text, $2::bytea"), values).value();
  EXPECT_EQ(std::get<std::string_view>(rows.At(0, 0).value()), "");
  EXPECT_EQ(std::get<Blob>(rows.At(0, 1).value()).bytes, "");
}

TEST_F(ConnectionTest, SixtyFourMebibytesAreNotTooMuch) {
  auto connection = Open();
  ASSERT_TRUE(connection->Run(Sql("create table t(a bytea)")).ok());
  std::string blob(size_t{64} << 20, '\0');
  for (size_t i = 0; i < blob.size(); i += 4096) blob[i] = static_cast<char>(i >> 12);
  ASSERT_TRUE(connection->Run(Sql("insert into t values($1)"), {{Value(Blob{blob})}}).ok());
  const auto rows = connection->Query(Sql("select a from t")).value();
  EXPECT_TRUE(std::get<Blob>(rows.At(0, 0).value()).bytes == blob);
}

TEST_F(ConnectionTest, WhatDoesNotFitIsRefusedBeforeItIsSent) {
  auto connection = Open();
  ASSERT_TRUE(connection->Run(Sql("create table t(a text, b integer)")).ok());
  const Sql insert("insert into t values($1,$2)");
  const std::vector<Value> nul = {std::string_view("a\0b", 3), int32_t{1}};
  const auto refused = connection->Run(insert, nul);
  EXPECT_EQ(KindOf(refused), Kind::kInvalid);
  EXPECT_NE(refused.error().message.find("NUL"), std::string::npos);
  const std::vector<Value> large = {Null{}, int64_t{1} << 40};
  EXPECT_EQ(KindOf(connection->Run(insert, large)), Kind::kInvalid);
  const std::vector<Value> other = {int32_t{1}, int32_t{1}};
  EXPECT_EQ(KindOf(connection->Run(insert, other)), Kind::kInvalid);
  EXPECT_EQ(Number(*connection, Sql("select count(*) from t")), 0);
}

TEST_F(ConnectionTest, ErrorsSayCodeAndConstraintAndNameTheServer) {
  auto connection = Open();
  ASSERT_TRUE(
      connection->Run(Sql("create table t(a integer constraint only_one primary key)")).ok());
  ASSERT_TRUE(connection->Run(Sql("insert into t values(1)")).ok());
  const auto again = connection->Run(Sql("insert into t values(1)"));
  EXPECT_EQ(KindOf(again), Kind::kConflict);
  EXPECT_EQ(again.error().effect, Effect::kNone);
  EXPECT_NE(again.error().details.find(R"("sqlstate":"23505")"), std::string::npos);
  EXPECT_NE(again.error().details.find(R"("constraint":"only_one")"), std::string::npos);
  EXPECT_NE(again.error().message.find(connection->where()), std::string::npos);
  EXPECT_EQ(connection->sqlstate(), "23505");
  EXPECT_EQ(KindOf(connection->Run(Sql("selec 1"))), Kind::kInternal);
  EXPECT_EQ(KindOf(connection->Run(Sql("select * from missing"))), Kind::kNotReady);
  EXPECT_EQ(Number(*connection, Sql("select count(*) from t")), 1);  // Still of use.
}

TEST_F(ConnectionTest, TransactionRollsBackUnlessCommitted) {
  auto connection = Open();
  ASSERT_TRUE(connection->Run(Sql("create table t(a integer)")).ok());
  const Sql insert("insert into t values(1)"), count("select count(*) from t");
  {
    auto transaction = Transaction::Begin(*connection, Transaction::Mode::kWrite).value();
    ASSERT_TRUE(connection->Run(insert).ok());
  }
  EXPECT_EQ(Number(*connection, count), 0);
  {
    auto transaction = Transaction::Begin(*connection, Transaction::Mode::kWrite).value();
    ASSERT_TRUE(connection->Run(insert).ok());
    ASSERT_TRUE(transaction.Commit().ok());
  }
  EXPECT_EQ(Number(*connection, count), 1);
  {
    auto transaction = Transaction::Begin(*connection, Transaction::Mode::kWrite).value();
    ASSERT_TRUE(connection->Run(insert).ok());
    ASSERT_FALSE(connection->Run(Sql("select 1/0")).ok());
    EXPECT_EQ(KindOf(transaction.Commit()), Kind::kInternal);
  }
  EXPECT_EQ(Number(*connection, count), 1);
}

TEST_F(ConnectionTest, ASnapshotSeesOneInstantAndWritesNothing) {
  const std::string url = testkit::Postgres::Shared().FreshUrl();
  auto reader = TryOpen({.url = url}).value(), writer = TryOpen({.url = url}).value();
  ASSERT_TRUE(writer->Run(Sql("create table t(a integer)")).ok());
  const Sql insert("insert into t values(1)"), count("select count(*) from t");
  auto snapshot = Transaction::Begin(*reader, Transaction::Mode::kSnapshot).value();
  EXPECT_EQ(Number(*reader, count), 0);
  ASSERT_TRUE(writer->Run(insert).ok());
  EXPECT_EQ(Number(*reader, count), 0);
  EXPECT_EQ(KindOf(reader->Run(insert)), Kind::kForbidden);
}

TEST_F(ConnectionTest, ABatchIsAllOrNothing) {
  auto connection = Open();
  ASSERT_TRUE(connection->Run(Sql("create table t(a integer primary key, b text)")).ok());
  const std::string text(100'000, 'x');
  std::vector<Statement> batch;
  for (int32_t i = 0; i < 300; ++i) {  // 30 MB: more than any buffer between.
    batch.push_back({Sql("insert into t values($1,$2)"), {i, std::string_view(text)}});
  }
  batch.push_back({Sql("update t set b='' where a<$1"), {int32_t{100}}});
  const auto changed = connection->RunAll(batch);
  ASSERT_TRUE(changed.ok()) << changed.error().message;
  EXPECT_EQ(changed->size(), 301u);
  EXPECT_EQ(changed->back(), 100);
  const std::vector<Statement> twice = {
      {Sql("insert into t values($1,$2)"), {int32_t{1000}, Null{}}},
      {Sql("insert into t values($1,$2)"), {int32_t{1000}, Null{}}},
      {Sql("delete from t"), {}},
  };
  EXPECT_EQ(KindOf(connection->RunAll(twice)), Kind::kConflict);
  EXPECT_EQ(Number(*connection, Sql("select count(*) from t")), 300);
}

TEST_F(ConnectionTest, StatementsTakeNoLongerThanTheyMay) {
  auto connection = TryOpen({.url = testkit::Postgres::Shared().FreshUrl(),
                             .statement_timeout = std::chrono::milliseconds(50)})
                        .value();
  EXPECT_EQ(KindOf(connection->Run(Sql("select pg_sleep(60)"))), Kind::kDeadline);
  EXPECT_FALSE(connection->lost());
  EXPECT_EQ(Number(*connection, Sql("select 1::bigint")), 1);
}

TEST_F(ConnectionTest, WhatRunsCanBeCancelled) {
  const std::string url = testkit::Postgres::Shared().FreshUrl();
  auto connection = TryOpen({.url = url}).value(), other = TryOpen({.url = url}).value();
  ASSERT_TRUE(connection->Cancel().ok());  // Nothing runs.
  std::thread canceller([&] {
    const Sql sleeping(
        "select count(*) from pg_stat_activity where query like 'select pg_sleep%'"
        " and state='active'");
    while (Number(*other, sleeping) == 0) std::this_thread::yield();
    EXPECT_TRUE(connection->Cancel().ok());
  });
  EXPECT_EQ(KindOf(connection->Run(Sql("select pg_sleep(20)"))), Kind::kCancelled);
  canceller.join();
  EXPECT_EQ(Number(*connection, Sql("select 1::bigint")), 1);
}

TEST_F(ConnectionTest, ATransactionWhoseClientIsSilentEnds) {
  const std::string url = testkit::Postgres::Shared().FreshUrl();
  auto silent = TryOpen({.url = url, .idle_timeout = std::chrono::milliseconds(50)}).value();
  auto other = TryOpen({.url = url}).value();
  ASSERT_TRUE(other->Run(Sql("create table t(a integer)")).ok());
  auto transaction = Transaction::Begin(*silent, Transaction::Mode::kWrite).value();
  ASSERT_TRUE(silent->Run(Sql("lock table t")).ok());
  // Waits until the lock is free, which is when the silent one was ended.
  ASSERT_TRUE(other->Run(Sql("insert into t values(1)")).ok());
  const auto late = silent->Run(Sql("insert into t values(2)"));
  EXPECT_EQ(KindOf(late), Kind::kDeadline);
  EXPECT_EQ(silent->sqlstate(), "25P03");
  EXPECT_EQ(late.error().effect, Effect::kNone);
  EXPECT_TRUE(silent->lost());
  EXPECT_EQ(Number(*other, Sql("select count(*) from t")), 1);
}

TEST_F(ConnectionTest, StatementsAreKeptButNotWithoutEnd) {
  auto connection = Open();
  const Sql kept("select count(*) from pg_prepared_statements");
  for (int64_t i = 0; i < 1200; ++i) {
    EXPECT_EQ(Number(*connection, Sql("select 0::bigint+") + Sql::Number(i)), i);
  }
  const int64_t many = Number(*connection, kept);
  EXPECT_LT(many, 600);
  EXPECT_EQ(Number(*connection, kept), many);
}

}  // namespace
}  // namespace sheaf::postgres
