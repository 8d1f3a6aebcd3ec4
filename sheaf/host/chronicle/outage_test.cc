// PLAN  with a spool, while the database is away: runs begin and end, a path is settled once its
//       run is safe there, the state says what waits · a process that dies meanwhile: the next one
//       finds every run once · who took the place makes it stale, and the loser knows without
//       writing · a full spool: new runs are refused, ends are kept · what is to become live is
//       refused and what ends is written · an item whose number another server took is not taken
//       for over · a clock that steps back: numbers grow, no time is negative
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "sheaf/adapters/persistence/persistence.h"
#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/time/manual_clock.h"
#include "sheaf/host/chronicle/chronicle.h"
#include "sheaf/host/chronicle/document.h"
#include "sheaf/host/chronicle/runs_test.h"
#include "sheaf/ports/persistence/faulty_persistence.h"
#include "testkit/temporary.h"

namespace sheaf::chronicle {
namespace {

using namespace std::chrono_literals;
using persistence::Fault;
using persistence::Verb;
using persistence::WorkType;

Path Kept(const std::string& id) { return Path::Make({"kept", id}).value(); }

class OutageTest : public testing::Test {
 protected:
  // A process on the database; `spooled_` is its way there.
  std::unique_ptr<Chronicle> Open() {
    const auto half = [] { return 0.5; };
    persistence::SpooledOptions spooled;
    spooled.spool = {.directory = directory_.path() + "/spool",
                     .where = "postgresql://h/d",
                     .bytes_max = bytes_max_};
    spooled_ = persistence::OpenSpooled(
                   persistence::Decorate(database_, faults_), std::move(spooled),
                   {.clock = clock_, .log = log_, .metrics = metrics_, .chance = half})
                   .value();
    ChronicleOptions options;
    options.place = {"here", 42};
    options.facts = {.name = "here", .address = "127.0.0.1:1", .memory_gib = 4, .slots = 2};
    options.backend = "postgresql://h/d";
    return Chronicle::Open(options, {.memory = spooled_,
                                     .clock = clock_,
                                     .log = log_,
                                     .metrics = metrics_,
                                     .chance = half})
        .value();
  }
  template <typename Check>
  bool Eventually(Check check) {
    const Event never;
    for (int i = 0; i < 1000; ++i) {
      if (check()) return true;
      clock_.Advance(100ms);
      (void)never.WaitFor(2ms);
    }
    return false;
  }
  static std::string StateOf(const Chronicle& chronicle) { return chronicle.StateJson()["state"]; }
  bool Degraded(const Chronicle& chronicle) {
    return Eventually([&] { return StateOf(chronicle) == "degraded"; });
  }
  std::vector<persistence::Work> History() {
    return database_.history->Newest(WorkType::kJob, 1000).value();
  }
  static void RunKept(Chronicle& chronicle, const std::string& id) {
    chronicle.Began(Began(id, id));
    chronicle.Wanted(Wanted(id, id));
  }

  testkit::TemporaryDirectory directory_;
  ManualClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  uint64_t bytes_max_ = 1 << 20;
  std::atomic<Fault> fault_{Fault::kNone};
  persistence::Persistence database_ = persistence::OpenMemory();
  persistence::Faults faults_{[this](Verb) { return fault_.load(); }};
  persistence::Persistence spooled_;
};

TEST_F(OutageTest, RunsGoOnAndAreSettledOnceTheyAreSafe) {
  auto chronicle = Open();
  chronicle->Offer({{"sql", "sql", "here", true, ""}});
  ASSERT_TRUE(Eventually([&] { return database_.services->Live()->size() == 1; }));
  fault_ = Fault::kConnectionLost;
  RunKept(*chronicle, "a");
  ASSERT_TRUE(Degraded(*chronicle));
  EXPECT_TRUE(chronicle->MayBegin().ok());
  EXPECT_FALSE(chronicle->lost());
  chronicle->Ended(Ending("a"));
  chronicle->Settle(Kept("a"));
  EXPECT_TRUE(chronicle->live().items.empty()) << "what settled is written down";
  const Json said = chronicle->StateJson();
  EXPECT_EQ(said["waiting"], 0);
  EXPECT_GT(said["spool"]["records"], 0);
  EXPECT_GT(said["spool"]["bytes"], 0);
  EXPECT_EQ(said["spool"]["set_aside"], 0);
  EXPECT_TRUE(said["spool"].contains("since"));
  EXPECT_NE(said["error"].get<std::string>().find("connection lost"), std::string::npos);
  EXPECT_TRUE(Eventually([&] { return metrics_.Value("sheaf_persistence_state") == 2; }));
  EXPECT_TRUE(History().empty());
  chronicle->Offer({{"sql", "sql", "here", false, "ill"}});
  const auto spooled = [&] { return chronicle->StateJson()["spool"]["records"].get<int>(); };
  const int before = spooled();
  EXPECT_TRUE(Eventually([&] { return spooled() >= before + 2; })) << "its two halves";
  fault_ = Fault::kNone;
  ASSERT_TRUE(Eventually([&] { return StateOf(*chronicle) == "ok"; }));
  EXPECT_EQ(History().size(), 1u);
  EXPECT_EQ(database_.services->Live()->at(0).state.Get<"service-state">(), "NotAvailable");
  EXPECT_FALSE(chronicle->StateJson().contains("error"));
  EXPECT_TRUE(Eventually([&] { return metrics_.Value("sheaf_persistence_state") == 1; }));
}

TEST_F(OutageTest, AProcessThatDiesMeanwhileLeavesEveryRunToTheNext) {
  auto chronicle = Open();
  for (const char* id : {"a", "b", "c"}) RunKept(*chronicle, id);
  ASSERT_TRUE(Eventually([&] { return chronicle->live().items.size() == 3; }));
  fault_ = Fault::kRefuse;
  chronicle->Ended(Ending("a"));
  chronicle->Began(Began("d"));
  chronicle->Ended(Ending("d"));
  ASSERT_TRUE(Degraded(*chronicle));
  chronicle->Ended(Stopped("b"));
  chronicle->Stop();
  chronicle.reset();
  spooled_ = {};
  fault_ = Fault::kNone;
  auto next = Open();
  EXPECT_EQ(next->StateJson()["to_resume"], 2) << "b and c, which ended not by themselves";
  std::set<int64_t> numbers;
  for (const auto& work : History()) EXPECT_TRUE(numbers.insert(work.id).second);
  EXPECT_EQ(numbers, (std::set<int64_t>{1, 4}));
  EXPECT_EQ(next->StateJson()["spool"]["set_aside"], 0);
}

TEST_F(OutageTest, WhoLostItsPlaceMeanwhileKnowsWhenTheDatabaseIsBack) {
  auto chronicle = Open();
  fault_ = Fault::kRefuse;
  RunKept(*chronicle, "a");
  chronicle->Ended(Ending("a"));
  ASSERT_TRUE(Degraded(*chronicle));
  ASSERT_TRUE(database_.fencing->Acquire("node/here", "another, process 7").ok());
  fault_ = Fault::kNone;
  ASSERT_TRUE(Eventually([&] { return chronicle->lost(); }));
  EXPECT_EQ(chronicle->MayBegin().error().kind, Kind::kNotReady);
  const Json said = chronicle->StateJson();
  EXPECT_EQ(said["state"], "lost");
  EXPECT_NE(said["error"].get<std::string>().find("another, process 7"), std::string::npos);
  EXPECT_GT(said["spool"]["set_aside"], 0);
  EXPECT_EQ(said["spool"]["kept"].size(), 1u);
  EXPECT_TRUE(History().empty());
}

TEST_F(OutageTest, AFullSpoolRefusesNewRunsAndKeepsEnds) {
  bytes_max_ = 60'000;
  auto chronicle = Open();
  fault_ = Fault::kRefuse;
  int began = 0;
  const auto full = [&] {
    if (!chronicle->MayBegin().ok()) return true;
    RunKept(*chronicle, std::to_string(began++));
    return false;
  };
  ASSERT_TRUE(Eventually(full));
  EXPECT_EQ(chronicle->MayBegin().error().kind, Kind::kBackpressure);
  EXPECT_NE(chronicle->MayBegin().error().message.find("persistence.spool_bytes_max"),
            std::string::npos);
  for (int i = 0; i < 5; ++i) chronicle->Ended(Ending(std::to_string(i)));
  ASSERT_TRUE(Eventually([&] { return chronicle->StateJson()["waiting"] == 0; }))
      << chronicle->StateJson().dump();
  fault_ = Fault::kNone;
  ASSERT_TRUE(Eventually([&] { return History().size() == 5; }));
  ASSERT_TRUE(Eventually([&] { return chronicle->MayBegin().ok(); }));
  EXPECT_TRUE(Eventually(
      [&] { return chronicle->live().items.size() == static_cast<size_t>(began) - 5; }));
}

TEST_F(OutageTest, AnItemWhoseNumberAnotherServerTookIsNotOver) {
  auto dies = Open();
  RunKept(*dies, "a");
  ASSERT_TRUE(Eventually([&] { return dies->live().items.size() == 1; }));
  dies.reset();
  spooled_ = {};
  const auto other = database_.fencing->Acquire("node/there", "other").value();
  const Entry entry{.number = 1, .task = {"x"}, .command = CommandOf("sql"), .principal = "ben"};
  const std::vector<persistence::Work> works{WorkOf(entry, {}, {"there", 1})};
  ASSERT_TRUE(database_.history->Save(other, works).ok());
  auto next = Open();
  EXPECT_EQ(next->StateJson()["to_resume"], 1);
  EXPECT_EQ(next->live().items.begin()->first, 2);
}

TEST_F(OutageTest, AClockThatStepsBackLeavesNumbersInOrder) {
  auto chronicle = Open();
  const auto pass = [&](const std::string& id) {
    auto begins = Began(id);
    begins.at = clock_.Wall();
    chronicle->Began(begins);
    chronicle->Executing({id}, clock_.Wall());
    clock_.StepWall(-10min);
    auto ends = Ending(id);
    ends.at = clock_.Wall();
    chronicle->Ended(ends);
  };
  for (const char* id : {"a", "b", "c"}) pass(id);
  ASSERT_TRUE(Eventually([&] { return History().size() == 3; }));
  chronicle.reset();
  spooled_ = {};
  clock_.StepWall(-24h);
  chronicle = Open();
  const uint64_t generation = chronicle->generation();
  pass("d");
  ASSERT_TRUE(Eventually([&] { return History().size() == 4; }));
  EXPECT_GT(chronicle->generation(), generation);
  const auto history = History();  // By number, greatest first.
  for (size_t i = 0; i < history.size(); ++i) {
    EXPECT_EQ(history[i].id, static_cast<int64_t>(4 - i));
    EXPECT_GE(history[i].job->Get<"duration">(), 0);
    EXPECT_GE(history[i].processes.at(0).Get<"run_time">(), 0);
  }
  EXPECT_LT(history[0].job->Get<"submission_time">(), history[3].job->Get<"submission_time">());
}

}  // namespace
}  // namespace sheaf::chronicle
