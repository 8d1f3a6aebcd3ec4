// PLAN  on SQLite and PostgreSQL: rows and ledger are one transaction · the same hash is a
//       duplicate, the same content under another hash too, other content is a conflict and
//       changes nothing · archived registrations · who asks changes nothing · a NUL is refused
//       where it cannot be kept · what is too large is refused by name · both load the same
#include "sheaf/adapters/persistence/postgres_test.h"
#include "sheaf/adapters/persistence/sqlite_test.h"

namespace sheaf::persistence {
namespace {

Loadable Job(int64_t id, const std::string& detail = "d") {
  Work work = MakeJob(id, "user", 100);
  work.detail = detail;
  return {"w:" + std::to_string(id), "job-" + std::to_string(id) + detail, work, {}};
}
Loadable Service(int64_t id, const std::string& text, Listing listing = Listing::kLive) {
  return {"s:" + std::to_string(id), "service-" + std::to_string(id) + text,
          MakeRegistration(id, text), listing};
}

class LoadingTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      SHEAF_NEEDS_POSTGRES();
      opened_ = OpenPostgres({.connect = {.url = testkit::Postgres::Shared().FreshUrl()}},
                             RealSurroundings())
                    .value();
    } else {
      opened_ = OpenSqlite({.path = directory_.path() + "/sheaf.db"}).value();
    }
  }
  Administration& administration() { return *opened_.parts.administration; }
  Result<std::vector<Loaded>> Load(const std::vector<Loadable>& items) {
    return administration().Load(items, 5);
  }
  size_t Jobs() { return opened_.parts.history->Newest(WorkType::kJob, 10'000)->size(); }
  std::vector<Row> Ledger() {
    std::vector<Row> rows;
    EXPECT_TRUE(opened_.store
                    ->Read([&](SqlSession& session) -> Status {
                      SHEAF_ASSIGN(rows, ReadRows(session, kLedgerTable,
                                                  records::Select(kLedgerTable), {}));
                      return Done();
                    })
                    .ok());
    return rows;
  }

  testkit::TemporaryDirectory directory_;
  SqlPersistence opened_;
};
using List = std::vector<Loaded>;

TEST_P(LoadingTest, RowsAndTheirPlacesInTheLedgerAreThere) {
  EXPECT_EQ(Load({Job(1), Service(1, "a"), Job(2)}).value(),
            (List{Loaded::kNew, Loaded::kNew, Loaded::kNew}));
  EXPECT_EQ(Jobs(), 2u);
  EXPECT_EQ(opened_.parts.services->Get(1).value(), MakeRegistration(1, "a"));
  EXPECT_EQ(Ledger().size(), 3u);
  for (const Row& row : Ledger()) {
    EXPECT_EQ(persistence::Get<int64_t>(row, "loaded"), 5);
    const bool service = persistence::Get<std::string>(row, "hash").starts_with("service");
    EXPECT_EQ(persistence::Get<std::string>(row, "kind"), service ? "registration" : "job");
  }
  EXPECT_TRUE(Verify(*opened_.store)->empty());
}

TEST_P(LoadingTest, TheSameIsADuplicateInABatchAndAfterIt) {
  EXPECT_EQ(Load({Job(1), Job(1)}).value(), (List{Loaded::kNew, Loaded::kDuplicate}));
  EXPECT_EQ(Load({Job(1), Job(2)}).value(), (List{Loaded::kDuplicate, Loaded::kNew}));
  EXPECT_EQ(Ledger().size(), 2u);
}

TEST_P(LoadingTest, WhatAServerSavedBeforeIsADuplicateThatEntersTheLedger) {
  const Epoch epoch = opened_.parts.fencing->Acquire("node/n", "test").value();
  const Loadable job = Job(1);
  ASSERT_TRUE(opened_.parts.history->Save(epoch, std::vector{std::get<Work>(job.what)}).ok());
  EXPECT_EQ(Load({job}).value(), List{Loaded::kDuplicate});
  EXPECT_EQ(Ledger().size(), 1u);
}

TEST_P(LoadingTest, OtherContentIsAConflictAndNothingIsChanged) {
  ASSERT_TRUE(Load({Job(1), Service(1, "a")}).ok());
  for (const auto& bad : {Job(1, "other"), Service(1, "b"), Service(1, "a2", Listing::kArchived)}) {
    const auto refused = Load({Job(7), bad});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, Kind::kConflict);
  }
  EXPECT_EQ(Load({Job(8), Job(8, "other")}).error().kind, Kind::kConflict);
  EXPECT_EQ(Jobs(), 1u);
  EXPECT_EQ(Ledger().size(), 2u);
}

TEST_P(LoadingTest, AnArchivedRegistrationIsListedAsOne) {
  ASSERT_TRUE(Load({Service(1, "a", Listing::kArchived), Service(2, "b")}).ok());
  EXPECT_EQ(opened_.parts.services->Archived()->size(), 1u);
  EXPECT_EQ(opened_.parts.services->Live()->front().id, 2);
}

TEST_P(LoadingTest, WhoAsksGetsTheSameAnswerAndChangesNothing) {
  ASSERT_TRUE(Load({Job(1)}).ok());
  const std::vector<Loadable> items = {Job(1), Job(2)};
  const List want = {Loaded::kDuplicate, Loaded::kNew};
  EXPECT_EQ(administration().WouldLoad(items).value(), want);
  EXPECT_EQ(administration().WouldLoad(items).value(), want);
  EXPECT_EQ(Jobs(), 1u);
  EXPECT_EQ(Ledger().size(), 1u);
  const std::vector<Loadable> bad = {Job(1, "other")};
  EXPECT_EQ(administration().WouldLoad(bad).error().kind, Kind::kConflict);
}

TEST_P(LoadingTest, ANulIsKeptOrRefused) {
  const std::vector<Loadable> items = {Service(1, std::string("a\0b", 3))};
  const auto loaded = Load(items);
  EXPECT_EQ(administration().WouldLoad(items).ok(), loaded.ok());
  if (GetParam()) {
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().kind, Kind::kInvalid);
    EXPECT_TRUE(Ledger().empty());
  } else {
    EXPECT_EQ(opened_.parts.services->Get(1).value(), std::get<Registration>(items[0].what));
  }
}

TEST_P(LoadingTest, ManyAtOnceAreAllThere) {
  std::vector<Loadable> items;
  for (int64_t i = 0; i < 1000; ++i) items.push_back(Job(i * 7919 % 1000));
  EXPECT_EQ(Load(items).value(), List(1000, Loaded::kNew));
  EXPECT_EQ(Load(items).value(), List(1000, Loaded::kDuplicate));
  EXPECT_EQ(Jobs(), 1000u);
  EXPECT_TRUE(Verify(*opened_.store)->empty());
}

INSTANTIATE_TEST_SUITE_P(BackEnds, LoadingTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "postgres" : "sqlite"; });

}  // namespace
}  // namespace sheaf::persistence
