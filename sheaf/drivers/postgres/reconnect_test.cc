// PLAN  a URL is checked and shown without its password · a wrong password and a missing database
//       are said at once, without waiting · nobody there: growing waits up to the deadline, a lost
//       connection has its own · a server that was restarted is found again when a transaction
//       begins · in the middle of a transaction it is an error that did nothing, at a commit one
//       that may have done something · commits are durable whatever the role was told

#include <thread>

#include "sheaf/drivers/postgres/postgres_test.h"

namespace sheaf::postgres {
namespace {

TEST(WhereTest, UrlsAreCheckedAndShownWithoutTheirPassword) {
  EXPECT_EQ(WhereOf("postgresql://me:secret@there:5433/base?sslmode=disable").value(),
            "postgresql://me@there:5433/base");
  for (const char* wrong : {"", "host=there", "postgresql://me:sec%zzret@there/", "mysql://a/b"}) {
    const auto refused = WhereOf(wrong);
    EXPECT_EQ(KindOf(refused), Kind::kInvalid) << wrong;
    EXPECT_EQ(refused.error().message.find("sec"), std::string::npos);
  }
}

// With a server of its own, which is stopped and started.
class ReconnectTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    if (!IsSkipped()) server_ = std::make_unique<testkit::Postgres>();
  }
  std::unique_ptr<testkit::Postgres> server_;
};

TEST_F(ReconnectTest, WhatIsNotForTheMomentIsSaidAtOnce) {
  const auto wrong = TryOpen({.url = server_->TcpUrl("postgres", "wrong")});
  EXPECT_EQ(KindOf(wrong), Kind::kUnauthenticated);
  EXPECT_NE(wrong.error().details.find("28P01"), std::string::npos);
  EXPECT_TRUE(TryOpen({.url = server_->TcpUrl("postgres", server_->password())}).ok());
  EXPECT_EQ(KindOf(TryOpen({.url = server_->Url() + "&dbname=missing"})), Kind::kNotReady);
  EXPECT_TRUE(waits_.empty());
}

TEST_F(ReconnectTest, WaitsGrowUntilTheDeadlineWhenNobodyIsThere) {
  server_->Stop();
  const auto away = TryOpen({.url = server_->Url(),
                             .retry_first = std::chrono::milliseconds(2),
                             .retry_longest = std::chrono::milliseconds(16),
                             .retry_deadline = std::chrono::milliseconds(100)});
  EXPECT_EQ(KindOf(away), Kind::kDependency);
  EXPECT_EQ(away.error().effect, Effect::kNone);
  ASSERT_GE(waits_.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {  // Half of 2, 4, 8, 16 and 16 ms.
    EXPECT_EQ(waits_[i], std::chrono::milliseconds(std::min<size_t>(1 << i, 8)));
  }
}

TEST_F(ReconnectTest, ALostConnectionComesBackWithinItsOwnDeadline) {
  auto connection =
      TryOpen({.url = server_->Url(), .revive_deadline = Duration(0)}).value();
  server_->Kill();
  const auto away = Transaction::Begin(*connection, Transaction::Mode::kWrite);
  EXPECT_EQ(KindOf(away), Kind::kDependency);
  EXPECT_TRUE(waits_.empty()) << "tried once";
  server_->Start();
  EXPECT_TRUE(Transaction::Begin(*connection, Transaction::Mode::kWrite).ok());
}

TEST_F(ReconnectTest, ARestartedServerIsFoundAgain) {
  auto connection = TryOpen({.url = server_->Url()}).value();
  ASSERT_TRUE(connection->Run(Sql("create table t(a integer)")).ok());
  for (const bool crash : {false, true}) {
    crash ? server_->Kill() : server_->Stop();
    // It comes back while the client waits.
    std::thread starter([&] { server_->Start(); });
    auto transaction = Transaction::Begin(*connection, Transaction::Mode::kWrite);
    starter.join();
    ASSERT_TRUE(transaction.ok()) << transaction.error().message;
    ASSERT_TRUE(connection->Run(Sql("insert into t values(1)")).ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  EXPECT_EQ(Number(*connection, Sql("select count(*) from t")), 2);
}

TEST_F(ReconnectTest, ALostTransactionDidNothingAndALostCommitIsUnsure) {
  auto connection = TryOpen({.url = server_->Url()}).value();
  ASSERT_TRUE(connection->Run(Sql("create table t(a integer)")).ok());
  const Sql insert("insert into t values(1)");
  {
    auto transaction = Transaction::Begin(*connection, Transaction::Mode::kWrite).value();
    ASSERT_TRUE(connection->Run(insert).ok());
    server_->Kill();
    const auto lost = connection->Run(insert);
    EXPECT_EQ(KindOf(lost), Kind::kDependency);
    EXPECT_EQ(lost.error().effect, Effect::kNone);
    server_->Start();
  }
  {
    // Afterwards the statement that commits is prepared, and nothing goes before it on the way.
    auto transaction = Transaction::Begin(*connection, Transaction::Mode::kWrite).value();
    ASSERT_TRUE(transaction.Commit().ok());
  }
  auto transaction = Transaction::Begin(*connection, Transaction::Mode::kWrite).value();
  ASSERT_TRUE(connection->Run(insert).ok());
  server_->Kill();
  const Status unsure = transaction.Commit();
  EXPECT_EQ(KindOf(unsure), Kind::kDependency);
  EXPECT_EQ(unsure.error().effect, Effect::kUnknown);
  EXPECT_EQ(KindOf(connection->Run(insert)), Kind::kDependency);  // Lost stays lost…
  server_->Start();
  ASSERT_TRUE(connection->Revive().ok());  // …until it is asked to come back.
  EXPECT_EQ(Number(*connection, Sql("select count(*) from t")), 0);
}

TEST_F(ReconnectTest, CommitsAreDurableWhateverTheRoleWasTold) {
  auto connection = TryOpen({.url = server_->Url()}).value();
  ASSERT_TRUE(connection->Run(Sql("alter role postgres set synchronous_commit='off'")).ok());
  auto other = TryOpen({.url = server_->Url()}).value();
  const auto rows = other->Query(Sql("select current_setting('synchronous_commit')")).value();
  EXPECT_EQ(std::get<std::string_view>(rows.At(0, 0).value()), "on");
}

}  // namespace
}  // namespace sheaf::postgres
