// PLAN  a fresh database is as its plan says · a backup gives everything back, also after it was
//       changed · one that is cancelled leaves nothing · a restore refuses while a scope is held
//       and names the holder; fenced, the holder lost it · epochs grow over a restore · what is no
//       backup changes nothing · work goes by age, by number, by bytes, whole and the oldest first
//       · counting says what going does · what goes was archived · an archive that fails keeps all
//       · a purge that is cancelled goes on where it was
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "sheaf/ports/persistence/contract/persistence_contract.h"

namespace sheaf::persistence {
namespace {

std::map<std::string, int64_t> RowsOf(const std::vector<Purged>& all) {
  std::map<std::string, int64_t> rows;
  for (const Purged& one : all) rows[one.table] = one.rows;
  return rows;
}

Report CancelAfter(int calls) {
  return [left = calls](const Doing&) mutable -> Status {
    return left-- > 0 ? Done() : Fail(Kind::kCancelled, "enough");
  };
}

// Ends a second after it was submitted.
Work Ended(int64_t id, int64_t submitted) {
  Work work = MakeJob(id, "user", submitted);
  work.job->Set<"duration">(1000);
  return work;
}

}  // namespace

TEST_P(AdministrationContract, AFreshDatabaseIsAsItsPlanSays) {
  const auto plan = administration().Plan();
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_GT(plan->present, 0);
  EXPECT_EQ(plan->present, plan->wanted);
  EXPECT_TRUE(plan->steps.empty());
  EXPECT_EQ(plan->drift, std::vector<std::string>());
  EXPECT_TRUE(administration().Migrate(Holders::kMustBeNone, {})->backups.empty());
}

TEST_P(AdministrationContract, ABackupGivesEverythingBack) {
  const Epoch epoch = Started();
  const std::vector<Work> works = {MakeJob(1), MakeReservation(2, "a b")};
  ASSERT_TRUE(history().Save(epoch, works).ok());
  ASSERT_TRUE(history().Change(epoch, {{{7, "seven"}}, {}, {}, {}}).ok());
  ASSERT_TRUE(services().Store(Acquire("cluster"), MakeRegistration(3)).ok());
  const std::vector<Node> nodes = {MakeNode("n", 4)};
  ASSERT_TRUE(resources().PutNodes(epoch, nodes).ok());
  const auto before = resources().Read().value();
  const auto wrote = administration().Backup(File(), {});
  ASSERT_TRUE(wrote.ok()) << wrote.error().message;
  EXPECT_EQ(wrote->bytes, static_cast<int64_t>(std::filesystem::file_size(File())));

  const std::vector<Work> later = {MakeJob(9)};
  ASSERT_TRUE(history().Save(epoch, later).ok());
  ASSERT_TRUE(history().Change(epoch, {{{8, "eight"}}, {7}, {}, {}}).ok());
  const auto restored = administration().Restore(File(), Holders::kAreFenced, {});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(restored->rows, wrote->rows);
  EXPECT_EQ(history().Get(WorkType::kJob, 1).value(), works[0]);
  EXPECT_EQ(history().Get(WorkType::kReservation, 2).value(), works[1]);
  EXPECT_EQ(KindOf(history().Get(WorkType::kJob, 9)), Kind::kNotFound);
  EXPECT_EQ(services().Live()->at(0).id, 3);
  EXPECT_EQ(resources().Read().value(), before);
  EXPECT_TRUE(LostOwnership(history().Save(epoch, later)));
  const Epoch next = Acquire(NodeScope("n"));
  EXPECT_GT(next.number, epoch.number);
  const auto live = history().Restore(next, RestoreMode::kWarm).value().live;
  EXPECT_EQ(live.items, (std::map<int64_t, std::string>{{7, "seven"}}));
  EXPECT_TRUE(administration().Verify({})->empty());
}

TEST_P(AdministrationContract, ACancelledBackupLeavesNothing) {
  const std::vector<Work> works = {MakeJob(1)};
  ASSERT_TRUE(history().Save(Acquire(NodeScope("n")), works).ok());
  std::filesystem::create_directory(directory_ + "/backups");
  const std::string file = directory_ + "/backups/b";
  for (int calls = 0; calls < 3; ++calls) {
    EXPECT_EQ(KindOf(administration().Backup(file, CancelAfter(calls))), Kind::kCancelled);
    EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/backups"));
  }
  std::ofstream(file) << "what was there";
  EXPECT_EQ(KindOf(administration().Backup(file, {})), Kind::kConflict) << "it is no backup";
  EXPECT_EQ(std::filesystem::file_size(file), 14u);
  std::filesystem::remove(file);
  ASSERT_TRUE(administration().Backup(file, {}).ok());
  const auto size = std::filesystem::file_size(file);
  ASSERT_TRUE(history().Save(Acquire(NodeScope("n")), std::vector<Work>{MakeJob(2)}).ok());
  EXPECT_EQ(KindOf(administration().Backup(file, CancelAfter(1))), Kind::kCancelled);
  EXPECT_EQ(std::filesystem::file_size(file), size);
  ASSERT_TRUE(administration().Backup(file, {}).ok());
  EXPECT_GT(std::filesystem::file_size(file), size);
}

TEST_P(AdministrationContract, ARestoreOverAHeldScopeChangesNothing) {
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  const Epoch epoch = Acquire(NodeScope("n"), "the holder");
  const std::vector<Work> works = {MakeJob(1)};
  ASSERT_TRUE(history().Save(epoch, works).ok());
  const auto refused = administration().Restore(File(), Holders::kMustBeNone, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(IsScopeHeld(refused.error()));
  EXPECT_NE(refused.error().message.find("the holder"), std::string::npos);
  EXPECT_TRUE(history().Get(WorkType::kJob, 1).ok());
  ASSERT_TRUE(fencing().Release(epoch).ok());
  ASSERT_TRUE(administration().Restore(File(), Holders::kMustBeNone, {}).ok());
  EXPECT_EQ(KindOf(history().Get(WorkType::kJob, 1)), Kind::kNotFound);
}

TEST_P(AdministrationContract, AScopeThatTheBackupDoesNotKnowGoesOn) {
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  const Epoch one = Started("one"), two = Started("two");
  ASSERT_TRUE(administration().Restore(File(), Holders::kAreFenced, {}).ok());
  const Epoch again = Started("one"), other = Started("two");
  EXPECT_GT(again.number, one.number);
  EXPECT_GT(other.number, two.number);
  ASSERT_TRUE(history().Checkpoint(again, {{{1, "one"}}, {}}).ok());
  ASSERT_TRUE(history().Checkpoint(other, {{{2, "two"}}, {}}).ok());
  EXPECT_EQ(history().Restore(again, RestoreMode::kWarm)->live.items.at(1), "one");
}

TEST_P(AdministrationContract, ACancelledRestoreChangesNothing) {
  const std::vector<Work> works = {MakeJob(1)};
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  ASSERT_TRUE(history().Save(Acquire(NodeScope("n")), works).ok());
  for (int calls = 0; calls < 4; ++calls) {
    EXPECT_EQ(KindOf(administration().Restore(File(), Holders::kAreFenced, CancelAfter(calls))),
              Kind::kCancelled);
    EXPECT_TRUE(history().Get(WorkType::kJob, 1).ok());
  }
}

TEST_P(AdministrationContract, WhatIsNoBackupChangesNothing) {
  std::ofstream(File()) << "anything else";
  const auto refused = administration().Restore(File(), Holders::kAreFenced, {});
  EXPECT_EQ(KindOf(refused), Kind::kCorrupt);
  EXPECT_NE(refused.error().message.find(File()), std::string::npos);
  EXPECT_EQ(KindOf(administration().Restore(File() + ".not", Holders::kAreFenced, {})),
            Kind::kNotFound);
  EXPECT_EQ(KindOf(administration().Backup(directory_ + "/no/such/place", {})), Kind::kNotFound);
}

TEST_P(AdministrationContract, WorkGoesByAgeWithAllThatIsKeptOfIt) {
  std::vector<Work> works;
  for (int64_t id = 1; id <= 10; ++id) works.push_back(Ended(id, id * 1000));
  Work service{.type = WorkType::kService, .id = 20};
  service.processes.emplace_back().Set<"ducc_id">(20).Set<"share_id">(1).Set<"start">(100);
  works.push_back(service);
  works.push_back(MakeReservation(30, "h", 2000));
  ASSERT_TRUE(history().Save(Acquire(NodeScope("n")), works).ok());
  const std::vector<Retention> rules = {{.table = "jobs", .before = 5000}};
  const auto counted = administration().WouldPurge(rules);
  ASSERT_TRUE(counted.ok()) << counted.error().message;
  EXPECT_EQ(history().Newest(WorkType::kJob, 100)->size(), 10u);
  const auto purged = administration().Purge(rules, {}, {});
  ASSERT_TRUE(purged.ok()) << purged.error().message;
  // Those submitted at 1000, 2000 and 3000 ended before 5000.
  EXPECT_EQ(RowsOf(*purged), (std::map<std::string, int64_t>{
                                 {"duccworks", 3}, {"job_history", 3}, {"jobs", 3},
                                 {"processes", 3}}));
  EXPECT_EQ(RowsOf(*counted), RowsOf(*purged));
  EXPECT_EQ(counted->front().bytes, purged->front().bytes);
  EXPECT_EQ(JobIds({}), (std::vector<int64_t>{10, 9, 8, 7, 6, 5, 4}));
  EXPECT_TRUE(administration().Verify({})->empty());
  const std::vector<Retention> others = {{.table = "svc_history", .before = 5000},
                                         {.table = "reservations", .before = 5000}};
  EXPECT_EQ(RowsOf(*administration().Purge(others, {}, {})),
            (std::map<std::string, int64_t>{
                {"processes", 1}, {"res_history", 1}, {"reservations", 1}, {"svc_history", 1}}));
  EXPECT_TRUE(administration().Purge(rules, {}, {})->empty());
  EXPECT_TRUE(administration().Verify({})->empty());
}

TEST_P(AdministrationContract, NoMoreStayThanIsSaidAndTheOldestGo) {
  std::vector<Work> works;
  for (int64_t id = 1; id <= 100; ++id) works.push_back(Ended(id, id));
  ASSERT_TRUE(history().Save(Acquire(NodeScope("n")), works).ok());
  std::vector<Retention> rules = {{.table = "job_history", .rows_max = 60}};
  EXPECT_EQ(RowsOf(*administration().WouldPurge(rules)).at("jobs"), 40);
  ASSERT_TRUE(administration().Purge(rules, {}, {}).ok());
  std::vector<Work> newest = history().Newest(WorkType::kJob, 1000).value();
  EXPECT_EQ(newest.size(), 60u);
  EXPECT_EQ(newest.back().id, 41);
  int64_t bytes = 0;
  for (size_t i = 0; i < 20; ++i) bytes += static_cast<int64_t>(EncodeWork(newest[i]).size());
  rules = {{.table = "job_history", .bytes_max = bytes}};
  ASSERT_TRUE(administration().Purge(rules, {}, {}).ok());
  newest = history().Newest(WorkType::kJob, 1000).value();
  EXPECT_EQ(newest.size(), 20u);
  // Both at once count once.
  rules = {{.table = "jobs", .before = 1095, .rows_max = 15}};
  EXPECT_EQ(RowsOf(*administration().WouldPurge(rules)).at("jobs"), 14);
  EXPECT_EQ(RowsOf(*administration().Purge(rules, {}, {})).at("jobs"), 14);
  rules = {{.table = "jobs", .rows_max = 0}};
  ASSERT_TRUE(administration().Purge(rules, {}, {}).ok());
  EXPECT_TRUE(history().Newest(WorkType::kJob, 1)->empty());
  EXPECT_TRUE(administration().Verify({})->empty());
}

TEST_P(AdministrationContract, ExtremesOfTimeAreNoMistake) {
  std::vector<Work> works = {Ended(1, INT64_MIN), Ended(2, INT64_MAX), Ended(3, 0), Ended(4, 0)};
  works[2].job->Set<"duration">(INT64_MAX);
  works[3].job->Set<"duration">(INT64_MIN);
  ASSERT_TRUE(history().Save(Acquire(NodeScope("n")), works).ok());
  const std::vector<Retention> rules = {{.table = "jobs", .before = 1}};
  EXPECT_EQ(RowsOf(*administration().Purge(rules, {}, {})).at("jobs"), 2);
  EXPECT_EQ(JobIds({}), (std::vector<int64_t>{2, 3}));
}

TEST_P(AdministrationContract, WhatGoesWasArchived) {
  std::vector<Work> works;
  for (int64_t id = 1; id <= 200; ++id) works.push_back(Ended(id, id));
  const Epoch epoch = Acquire(NodeScope("n"));
  ASSERT_TRUE(history().Save(epoch, works).ok());
  const std::vector<Retention> rules = {{.table = "jobs", .before = 1151}};
  const auto broken = [](const records::Table&, std::span<const records::Row>) -> Status {
    return Fail(Kind::kExhausted, "no room");
  };
  EXPECT_EQ(KindOf(administration().Purge(rules, broken, {})), Kind::kExhausted);
  EXPECT_EQ(history().Newest(WorkType::kJob, 1000)->size(), 200u);
  std::map<std::string, std::set<int64_t>> archived;
  const auto keep = [&](const records::Table& table, std::span<const records::Row> rows) {
    for (const auto& row : rows) {
      const int64_t id = std::get<int64_t>(row.At("ducc_id"));
      EXPECT_TRUE(archived[std::string(table.name)].insert(id).second);
      // It is still there.
      EXPECT_TRUE(history().Get(WorkType::kJob, id).ok());
    }
    return Done();
  };
  // Cancelled in the middle: what was archived goes, nothing twice.
  EXPECT_EQ(KindOf(administration().Purge(rules, keep, CancelAfter(2))), Kind::kCancelled);
  ASSERT_TRUE(administration().Purge(rules, keep, {}).ok());
  EXPECT_EQ(archived.size(), 4u);
  for (const auto& [table, ids] : archived) EXPECT_EQ(ids.size(), 150u) << table;
  EXPECT_EQ(history().Newest(WorkType::kJob, 1000)->size(), 50u);
}

TEST_P(AdministrationContract, ACancelledPurgeGoesOnWhereItWas) {
  std::vector<Work> works;
  for (int64_t id = 1; id <= 500; ++id) works.push_back(Ended(id, id));
  ASSERT_TRUE(history().Save(Acquire(NodeScope("n")), works).ok());
  const std::vector<Retention> rules = {{.table = "jobs", .before = 1401}};
  EXPECT_EQ(KindOf(administration().Purge(rules, {}, CancelAfter(3))), Kind::kCancelled);
  const size_t left = history().Newest(WorkType::kJob, 1000)->size();
  EXPECT_LT(left, 500u);
  EXPECT_GT(left, 100u);
  EXPECT_TRUE(administration().Verify({})->empty());
  const auto purged = administration().Purge(rules, {}, {});
  EXPECT_EQ(RowsOf(*purged).at("jobs"), static_cast<int64_t>(left) - 100);
}

TEST_P(AdministrationContract, AnUnknownTableIsNamed) {
  for (const std::string table : {"processes", "smreg", "nothing"}) {
    const std::vector<Retention> rules = {{.table = table, .before = 1}};
    const auto refused = administration().WouldPurge(rules);
    EXPECT_EQ(KindOf(refused), Kind::kInvalid);
    EXPECT_NE(refused.error().message.find(table), std::string::npos);
  }
}

}  // namespace sheaf::persistence
