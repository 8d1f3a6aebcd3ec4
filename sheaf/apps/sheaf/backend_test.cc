// PLAN  each spelling of persistence.backend opens what it names, and that works · relative names
//       lie in the state directory · what keeps is found again, what does not is not · what cannot
//       be opened is an error that names the setting and where, and no password · a stop ends waits
//       · a node's PostgreSQL that is killed has a spool, and no other back end while it waits
#include "sheaf/apps/sheaf/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sheaf/base/observe/memory_metrics.h"
#include "testkit/postgres.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class BackendTest : public ::testing::Test {
 protected:
  BackendTest() { fs::create_directories(folder_); }
  ~BackendTest() override { fs::remove_all(folder_); }
  Result<Backend> Open(const std::string& text) {
    return OpenBackend(text, {state_dir_, clock_, executor_, std::chrono::milliseconds(300)});
  }
  // Epochs of a scope grow: one that is found again gives a later number.
  static uint64_t Acquire(const Backend& backend) {
    auto epoch = backend.parts.fencing->Acquire("node/n", "test");
    EXPECT_TRUE(epoch.ok()) << epoch.error().message;
    if (!epoch.ok()) return 0;
    EXPECT_TRUE(backend.parts.history->Restore(*epoch, persistence::RestoreMode::kWarm).ok());
    EXPECT_TRUE(backend.parts.services->Live().ok());
    return epoch->number;
  }
  // The same place, opened twice one after the other.
  void FindsAgain(const std::string& text) {
    uint64_t first = 0;
    {
      auto backend = Open(text);
      ASSERT_TRUE(backend.ok()) << backend.error().message;
      EXPECT_TRUE(backend->keeps);
      first = Acquire(*backend);
    }
    auto again = Open(text);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_GT(Acquire(*again), first);
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) / ("backend-" + core::RandomHex(8));
  const std::string state_dir_ = folder_.string();
  time::SystemClock clock_;
  Executor executor_{{.name = "test", .threads_max = 2, .queue_max = 16}};
};

TEST_F(BackendTest, NoneKeepsNothingAndSaysSo) {
  const auto backend = Open("none").value();
  EXPECT_FALSE(backend.keeps);
  EXPECT_EQ(backend.shown, "none");
  Acquire(backend);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(BackendTest, MemoryKeepsUntilItGoes) {
  const auto backend = Open("memory:").value();
  EXPECT_TRUE(backend.keeps);
  EXPECT_EQ(backend.shown, "memory:");
  const uint64_t first = Acquire(backend);
  EXPECT_GT(Acquire(backend), first);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(BackendTest, SqliteIsAFileInTheStateDirectory) {
  FindsAgain("sqlite:a.db");
  EXPECT_TRUE(fs::is_regular_file(folder_ / "a.db"));
  EXPECT_EQ(Open("sqlite:a.db")->shown, "sqlite:a.db");
  fs::create_directories(folder_ / "else" / "where");
  FindsAgain("sqlite:" + (folder_ / "else/where/b.db").string());
  EXPECT_TRUE(fs::is_regular_file(folder_ / "else/where/b.db"));
}

TEST_F(BackendTest, FileIsADirectoryInTheStateDirectory) {
  FindsAgain("file:journal");
  EXPECT_TRUE(fs::is_directory(folder_ / "journal"));
  const auto held = Open("file:journal").value();
  EXPECT_EQ(held.shown, "file:journal");
  EXPECT_EQ(held.parts.resources, nullptr);
  const auto second = Open("file:journal");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, Kind::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("persistence.backend"));
}

TEST_F(BackendTest, PostgresIsASchemaOfADatabase) {
  SHEAF_NEEDS_POSTGRES();
  const std::string url = testkit::Postgres::Shared().FreshUrl();
  FindsAgain(url);
  auto& server = testkit::Postgres::Shared();
  const auto shown = Open(server.TcpUrl("postgres", server.password())).value().shown;
  EXPECT_THAT(shown, AllOf(HasSubstr("postgresql://postgres@"), Not(HasSubstr(server.password()))));
}

TEST_F(BackendTest, WhatCannotBeOpenedNamesTheSettingAndNoPassword) {
  std::ofstream(folder_ / "occupied") << "no directory";
  for (const char* text : {"sqlite:no/such/directory.db", "file:occupied", "etcd://u:secret@h",
                           "postgresql://u:secret@h/d?nonsense=1"}) {
    const auto opened = Open(text);
    ASSERT_FALSE(opened.ok()) << text;
    EXPECT_THAT(opened.error().message,
                AllOf(HasSubstr("persistence.backend"), Not(HasSubstr("secret"))));
  }
}

TEST_F(BackendTest, ADatabaseThatIsAwayIsNamedAfterAFewTries) {
  const auto opened = Open("postgresql://u:secret@127.0.0.1:1/d");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, Kind::kDependency);
  EXPECT_THAT(opened.error().message,
              AllOf(HasSubstr("persistence.backend: postgresql://u@127.0.0.1:1/d"),
                    Not(HasSubstr("secret"))));
}

TEST_F(BackendTest, AStopEndsTheWaitForADatabaseThatIsAway) {
  SHEAF_NEEDS_POSTGRES();
  testkit::Postgres server;
  const auto backend =
      OpenBackend(server.FreshUrl(),
                  {.state_dir = state_dir_, .clock = clock_, .background = executor_})
          .value();
  Acquire(backend);
  server.Kill();
  EXPECT_FALSE(backend.parts.services->Live().ok());  // The session is found to be lost.
  backend.ending->Set();
  const Instant before = clock_.Now();
  EXPECT_FALSE(backend.parts.services->Live().ok());
  EXPECT_LT(clock_.Now() - before, std::chrono::seconds(4));
}

TEST_F(BackendTest, APostgresThatIsKilledHasASpool) {
  SHEAF_NEEDS_POSTGRES();
  testkit::Postgres server;
  observe::NullLog log;
  observe::MemoryMetrics metrics;
  const auto account = Account::Root("spool", {});
  const auto open = [&](const std::string& text) {
    return OpenBackend(text, {.state_dir = state_dir_,
                              .clock = clock_,
                              .background = executor_,
                              .tries = std::chrono::milliseconds(300),
                              .spool = SpoolParts{1 << 20, log, metrics, account}});
  };
  const std::string url = server.FreshUrl();
  {
    const auto backend = open(url).value();
    const auto epoch = backend.parts.fencing->Acquire("node/n", "test").value();
    auto& history = *backend.parts.history;
    ASSERT_TRUE(history.Restore(epoch, persistence::RestoreMode::kWarm).ok());
    server.Kill();
    ASSERT_TRUE(history.Change(epoch, {{{7, "live"}}, {}, {}, {}}).ok());
    EXPECT_EQ(backend.parts.outage->Look().records, 1u);
    EXPECT_GT(account->used().count, 0);
    backend.ending->Set();
  }
  const auto away = open(url);
  ASSERT_FALSE(away.ok());
  EXPECT_THAT(away.error().message, HasSubstr("start the database"));
  const auto other = open("sqlite:a.db");
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message, AllOf(HasSubstr("1 writes for postgresql:"),
                                           HasSubstr("move the directory away")));
  server.Start();
  const auto again = open(url).value();
  const auto epoch = again.parts.fencing->Acquire("node/n", "again").value();
  const auto restored = again.parts.history->Restore(epoch, persistence::RestoreMode::kWarm);
  EXPECT_EQ(restored->live.items.size(), 1u);
  EXPECT_EQ(again.parts.outage->Look().set_aside, 0u);
}

}  // namespace
}  // namespace sheaf::app
