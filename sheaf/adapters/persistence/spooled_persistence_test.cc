// PLAN  what is written while the database is away is acknowledged, durable, and made in order when
//       it is back · reads say how long and how many wait · nobody acquires before all is made ·
//       stale writes are set aside and their writer learns it · a job's number that another took is
//       given up, once · neighbours are made together, one bad work of many is set aside alone · a
//       full spool keeps ends of work · a disk that fails meanwhile is said and mended · attempts
//       become rare · a healthy one is its inner back end
#include "sheaf/adapters/persistence/spooled_persistence.h"

#include <gtest/gtest.h>

#include "sheaf/adapters/persistence/spooled_test.h"
#include "sheaf/base/async/event.h"
#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/time/manual_clock.h"
#include "sheaf/ports/persistence/contract/persistence_contract.h"
#include "testkit/failing_files.h"
#include "testkit/temporary.h"

namespace sheaf::persistence {
namespace {

using namespace std::chrono_literals;

class SpooledTest : public testing::Test {
 protected:
  Result<Persistence> TryOpen() {
    return OpenSpooled(database_.Connect(),
                       {.spool = {.directory = directory_.path() + "/spool",
                                  .files = files_,
                                  .where = "postgresql://h/d",
                                  .bytes_max = bytes_max_}},
                       {.clock = clock_, .log = log_, .metrics = metrics_, .chance = [] {
                          return 0.5;
                        }});
  }
  // Opens it and begins, as a node does.
  void Open() {
    parts_ = {};
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    parts_ = std::move(opened).value();
    node_ = parts_.fencing->Acquire("node/n", "one").value();
    ASSERT_TRUE(parts_.history->Restore(node_, RestoreMode::kWarm).ok());
  }
  Status Save(int64_t id) {
    const std::vector<Work> works = {MakeJob(id)};
    SHEAF_TRY(parts_.history->Save(node_, works));
    return Done();
  }
  Status Put(int64_t id) { return parts_.history->Change(node_, {{{id, "x"}}, {}, {}, {}}); }
  Standing Look() { return parts_.outage->Look(); }
  // Moves the clock until it holds; false when it never does.
  template <typename Check>
  bool Eventually(Check check) {
    const Event never;
    for (int i = 0; i < 2000; ++i) {
      if (check()) return true;
      clock_.Advance(100ms);
      (void)never.WaitFor(1ms);
    }
    return false;
  }
  bool Clears() {
    return Eventually([this] { return Look().state == Standing::State::kOk; });
  }
  std::vector<int64_t> Saved() {
    std::vector<int64_t> ids;
    const auto newest = database_.kept.history->Newest(WorkType::kJob, 1000).value();
    for (const Work& work : newest) ids.insert(ids.begin(), work.id);
    return ids;
  }

  testkit::TemporaryDirectory directory_;
  ManualClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  uint64_t bytes_max_ = 1 << 20;
  files::FileSystem* files_ = nullptr;  // Of a test.
  Database database_;
  Epoch node_;
  Persistence parts_;
};

TEST_F(SpooledTest, WhatIsWrittenWhileTheDatabaseIsAwayIsMadeWhenItIsBack) {
  for (const Fault fault : {Fault::kRefuse, Fault::kApplyThenTimeout, Fault::kConnectionLost}) {
    database_.kept = OpenMemory();
    Open();
    ASSERT_TRUE(Save(1).ok());
    EXPECT_EQ(Look().state, Standing::State::kOk);
    database_.fault = fault;
    ASSERT_TRUE(Save(2).ok());
    EXPECT_EQ(Look().state, Standing::State::kDegraded);
    EXPECT_FALSE(Look().error.empty());
    ASSERT_TRUE(Put(7).ok());
    ASSERT_TRUE(Put(8).ok());
    ASSERT_TRUE(parts_.history->Finish(node_, MakeJob(3), {{}, {7}, {}, {}}).ok());
    ASSERT_TRUE(parts_.resources->Begin(node_, {{MakeNode("n", 1)}, {}, {}}).ok());
    ASSERT_TRUE(parts_.resources->Begin(node_, {{MakeNode("n", 2)}, {}, {}}).ok());
    EXPECT_GE(Look().records, 4u);
    database_.fault = Fault::kNone;
    ASSERT_TRUE(Clears());
    EXPECT_EQ(Saved(), (std::vector<int64_t>{1, 2, 3}));
    EXPECT_EQ(database_.kept.resources->Machine("n")->Get<"share_order">(), 2);
    ASSERT_TRUE(Save(4).ok());
    EXPECT_EQ(Saved().size(), 4u);  // Past the spool.
    const Epoch next = parts_.fencing->Acquire("node/n", "two").value();
    const auto restored = parts_.history->Restore(next, RestoreMode::kWarm);
    EXPECT_EQ(restored->live.items, (std::map<int64_t, std::string>{{8, "x"}}));
    EXPECT_EQ(metrics_.Value("sheaf_persistence_spooled_records"), 0);
    EXPECT_EQ(metrics_.Value("sheaf_persistence_set_aside_total"), 0);
  }
  EXPECT_GT(metrics_.Value("sheaf_persistence_replayed_total"), 12);
}

TEST_F(SpooledTest, ReadsSayHowLongAndHowManyWait) {
  Open();
  ASSERT_TRUE(parts_.history->Newest(WorkType::kJob, 1).ok());
  database_.fault = Fault::kRefuse;
  for (int64_t id = 1; id <= 3; ++id) ASSERT_TRUE(Save(id).ok());
  clock_.Advance(12s);
  const auto read = parts_.history->Newest(WorkType::kJob, 1);
  EXPECT_EQ(KindOf(read), Kind::kDependency);
  const std::string said = read.error().message;
  EXPECT_NE(said.find("postgresql://h/d has been away for 12 s, 3 writes wait"), std::string::npos)
      << said;
  EXPECT_EQ(KindOf(parts_.fencing->Acquire("node/n", "two")), Kind::kDependency);
  EXPECT_EQ(KindOf(parts_.resources->SetLoad(node_, {})), Kind::kDependency);
  EXPECT_EQ(KindOf(parts_.history->Restore(node_, RestoreMode::kWarm)), Kind::kDependency);
  const std::vector<Work> wrong = {Work{.type = WorkType::kJob, .id = 4}};
  EXPECT_EQ(KindOf(parts_.history->Save(node_, wrong)), Kind::kInvalid);
  const int calls = database_.calls;
  EXPECT_FALSE(parts_.services->Live().ok());
  EXPECT_EQ(database_.calls, calls) << "nobody waits for what is known to be away";
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_TRUE(parts_.history->Newest(WorkType::kJob, 1).ok());
}

TEST_F(SpooledTest, TheNextStartMakesWhatWaitsBeforeAnybodyAcquires) {
  Open();
  database_.fault = Fault::kConnectionLost;
  for (int64_t id = 1; id <= 5; ++id) ASSERT_TRUE(Save(id).ok());
  ASSERT_TRUE(parts_.fencing->Release(node_).ok());
  parts_ = {};  // The process ends while the database is away.
  const auto opened = TryOpen();
  EXPECT_EQ(KindOf(opened), Kind::kDependency);
  EXPECT_NE(opened.error().message.find("6 writes of the last process wait"), std::string::npos);
  EXPECT_TRUE(Saved().empty());
  database_.fault = Fault::kNone;
  Open();
  EXPECT_EQ(Saved().size(), 5u);
  EXPECT_EQ(Look().set_aside, 0u);
  EXPECT_EQ(node_.number, 3u) << "one was acquired, released and acquired";
}

TEST_F(SpooledTest, StaleWritesAreSetAsideAndTheirWriterLearnsIt) {
  Open();
  database_.fault = Fault::kRefuse;
  for (int64_t id = 1; id <= 3; ++id) ASSERT_TRUE(Save(id).ok());
  EXPECT_TRUE(parts_.outage->StillOwns(node_).ok());
  ASSERT_TRUE(database_.kept.fencing->Acquire("node/n", "another").ok());
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_TRUE(Saved().empty());
  EXPECT_EQ(Look().set_aside, 3u);
  ASSERT_EQ(Look().kept.size(), 1u);
  EXPECT_EQ(metrics_.Value("sheaf_persistence_set_aside_total"), 3);
  EXPECT_TRUE(LostOwnership(parts_.outage->StillOwns(node_)));
  database_.fault = Fault::kRefuse;
  EXPECT_TRUE(IsOwnershipLost(Save(4).error())) << "it need not wait for the database";
  database_.fault = Fault::kNone;
  Open();
  EXPECT_EQ(Look().set_aside, 3u);
  EXPECT_TRUE(Save(5).ok());
}

TEST_F(SpooledTest, AJobWhoseNumberWasTakenGetsAnother) {
  Open();
  database_.fault = Fault::kRefuse;
  std::vector<Work> works = {MakeJob(1), MakeJob(2), MakeJob(3)};
  ASSERT_TRUE(parts_.history->Save(node_, works).ok());
  ASSERT_TRUE(parts_.history->Finish(node_, MakeJob(4), {{}, {4}, {}, {}}).ok());
  const Epoch other = database_.kept.fencing->Acquire("node/m", "other").value();
  const std::vector<Work> taken = {MakeJob(2, "other"), MakeJob(4, "other")};
  ASSERT_TRUE(database_.kept.history->Save(other, taken).ok());
  // Its answer is lost, and it is made again: under the same new number.
  int saves = 0;
  database_.next = [&](Verb verb) {
    const bool saves_one = verb == Verb::kSave || verb == Verb::kFinish;
    return saves_one && ++saves % 2 == 1 ? Fault::kApplyThenTimeout : Fault::kNone;
  };
  ASSERT_TRUE(Clears());
  EXPECT_EQ(Look().set_aside, 0u);
  std::map<std::string, int> users;
  for (const int64_t id : Saved()) {
    ++users[database_.kept.history->Get(WorkType::kJob, id)->job->Get<"user">()];
  }
  EXPECT_EQ(users, (std::map<std::string, int>{{"user", 4}, {"other", 2}}));
}

TEST_F(SpooledTest, NeighboursAreMadeTogether) {
  Open();
  database_.fault = Fault::kRefuse;
  for (int64_t id = 1; id <= 300; ++id) {
    ASSERT_TRUE(Put(id).ok());
    ASSERT_TRUE(parts_.history->Finish(node_, MakeJob(id), {{}, {id}, {}, {}}).ok());
  }
  ASSERT_TRUE(Put(500).ok());
  const int before = database_.calls;
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_LT(database_.calls - before, 60) << "601 writes waited";
  EXPECT_EQ(Saved().size(), 300u);
  const Epoch next = parts_.fencing->Acquire("node/n", "two").value();
  const auto restored = parts_.history->Restore(next, RestoreMode::kWarm);
  EXPECT_EQ(restored->live.items, (std::map<int64_t, std::string>{{500, "x"}}));
}

TEST_F(SpooledTest, OneBadWorkOfManyIsSetAsideAlone) {
  Open();
  database_.fault = Fault::kRefuse;
  const std::vector<Work> works = {MakeJob(1), MakeJob(2), MakeJob(3)};
  ASSERT_TRUE(parts_.history->Save(node_, works).ok());
  int saves = 0;
  database_.refuse = [&](Verb verb) -> Status {
    if (verb != Verb::kSave) return Done();
    ++saves;  // All at once, the first, the second.
    return saves == 1 || saves == 3 ? Status(Fail(Kind::kInvalid, "no NUL here")) : Done();
  };
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_EQ(Saved(), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(Look().set_aside, 1u);
}

TEST_F(SpooledTest, AFullSpoolKeepsEndsOfWorkAndSaysSo) {
  bytes_max_ = 20'000;
  Open();
  database_.fault = Fault::kRefuse;
  int64_t live = 0, ends = 0;
  Status refused;
  while ((refused = Put(live + 1)).ok()) ++live;
  EXPECT_EQ(refused.error().kind, Kind::kBackpressure);
  EXPECT_TRUE(Look().full);
  while (Save(ends + 1).ok()) ++ends;
  EXPECT_GT(ends, 2);
  EXPECT_GT(metrics_.Value("sheaf_persistence_spool_refused_total"), 1);
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_EQ(Saved().size(), static_cast<size_t>(ends));
  EXPECT_TRUE(Put(live + 1).ok());
}

TEST_F(SpooledTest, ADiskThatFailsMeanwhileIsSaidAndMended) {
  std::atomic<bool> fails = false;
  const auto failing = testkit::MakeFailingFiles(
      [&](std::string_view operation, const std::string& path) -> std::optional<Error> {
        if (!fails || (operation != "Append" && operation != "Create")) return std::nullopt;
        return Fail(Kind::kExhausted, path + ": no space left");
      });
  files_ = failing.get();
  Open();
  fails = true;
  database_.fault = Fault::kRefuse;
  const Status lost = Save(1);
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().effect, Effect::kUnknown);
  EXPECT_NE(lost.error().message.find("injected: refused; and "), std::string::npos);
  EXPECT_NE(lost.error().message.find("no space left"), std::string::npos);
  EXPECT_FALSE(Save(2).ok());
  database_.fault = Fault::kNone;
  EXPECT_TRUE(Eventually([&] {
    return Look().error.find("no space left") != std::string::npos;
  }));
  EXPECT_EQ(Look().state, Standing::State::kDegraded);
  fails = false;
  ASSERT_TRUE(Clears());
  EXPECT_EQ(Saved(), std::vector<int64_t>{1}) << "whose answer was that nobody knows";
  EXPECT_TRUE(Save(2).ok());
  parts_ = {};
}

TEST_F(SpooledTest, AttemptsBecomeRare) {
  Open();
  database_.fault = Fault::kRefuse;
  ASSERT_TRUE(Save(1).ok());
  const auto attempts = [&] { return metrics_.Value("sheaf_persistence_replay_failures_total"); };
  const auto pass = [&](int seconds) {
    const double before = attempts();
    const Event never;
    for (int i = 0; i < seconds * 10; ++i) {
      clock_.Advance(100ms);
      (void)never.WaitFor(500us);
    }
    return attempts() - before;
  };
  EXPECT_GE(pass(10), 4);
  EXPECT_LE(pass(60), 60 / 7.5 + 2);
  database_.fault = Fault::kNone;
  EXPECT_TRUE(Clears());
}

// --- healthy -------------------------------------------------------------------------------------

Backend Spooled(int faults_in_ten) {
  return {.name = faults_in_ten == 0 ? "spooled memory" : "faulty spooled memory",
          .open = [](const std::string& directory) -> Result<Persistence> {
            static ManualClock clock;
            static observe::NullLog log;
            static observe::MemoryMetrics metrics;
            return OpenSpooled(
                OpenMemory(), {.spool = {.directory = directory + "/spool", .where = "memory:"}},
                {.clock = clock, .log = log, .metrics = metrics, .chance = [] { return 0.5; }});
          },
          .survives_reopen = false,
          .shared = false,
          .faults_in_ten = faults_in_ten};
}
SHEAF_PERSISTENCE_CONTRACT(Spooled, testing::Values(Spooled(0)));
SHEAF_PERSISTENCE_CONTRACT(FaultySpooled, testing::Values(Spooled(4)));

}  // namespace
}  // namespace sheaf::persistence
