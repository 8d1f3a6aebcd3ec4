// PLAN  what ends is in history once, whatever fault its writing meets · while the database is away
//       new runs are refused at the limit and nothing is lost · who lost its place writes no more ·
//       a number that another took is given up · a warm start queues again what is kept, once, and
//       ends the rest; a cold one ends all; a visitor leaves it · an item that history has already
//       is dropped · tables are read back, without private columns · services are registered once
#include "sheaf/host/chronicle/chronicle.h"

#include <gtest/gtest.h>

#include <atomic>

#include "sheaf/adapters/persistence/persistence.h"
#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/time/manual_clock.h"
#include "sheaf/host/chronicle/document.h"
#include "sheaf/host/chronicle/runs_test.h"
#include "sheaf/ports/persistence/faulty_persistence.h"

namespace sheaf::chronicle {
namespace {

using namespace std::chrono_literals;
using persistence::Fault;
using persistence::Verb;
using persistence::WorkType;

struct ChronicleTest : testing::Test {
  std::unique_ptr<Chronicle> Open(Start start = Start::kWarm) {
    ChronicleOptions options;
    options.place = {"here", 42};
    options.facts = {.name = "here", .address = "127.0.0.1:1", .memory_gib = 4, .slots = 2};
    options.start = start;
    options.backend = "memory:";
    options.waiting_max = 8;
    auto opened = Chronicle::Open(
        options, {.memory = faulty, .clock = clock, .log = log, .metrics = metrics, .chance = [] {
                    return 0.5;
                  }});
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return std::move(opened).value();
  }
  // Moves the clock until it holds; false when it never does.
  template <typename Check>
  bool Eventually(Check check) {
    const Event never;
    for (int i = 0; i < 1000; ++i) {
      if (check()) return true;
      clock.Advance(100ms);
      (void)never.WaitFor(2ms);
    }
    return false;
  }
  size_t Saved() { return inner.history->Newest(WorkType::kJob, 100).value().size(); }
  std::string ReasonOf(int64_t number) {
    const auto work = inner.history->Get(WorkType::kJob, number);
    return work.ok() ? work->job->Get<"reason">() : "none";
  }
  static void RunKept(Chronicle& chronicle, const std::string& id) {
    chronicle.Began(Began(id, id));
    chronicle.Wanted(Wanted(id, id));
  }

  ManualClock clock;
  observe::NullLog log;
  observe::MemoryMetrics metrics;
  std::atomic<Fault> fault{Fault::kNone};
  std::atomic<int> faults_left{1 << 30};
  persistence::Persistence inner = persistence::OpenMemory();
  persistence::Faults faults{
      [this](Verb) { return faults_left.fetch_sub(1) > 0 ? fault.load() : Fault::kNone; }};
  persistence::Persistence faulty = persistence::Decorate(inner, faults);
};

TEST_F(ChronicleTest, WhatEndsIsInHistoryAndNoLongerLive) {
  auto chronicle = Open();
  RunKept(*chronicle, "a");
  ASSERT_TRUE(Eventually([&] { return chronicle->live().items.size() == 1; }));
  chronicle->Ended(Ending("a"));
  ASSERT_TRUE(Eventually([&] { return Saved() == 1; }));
  EXPECT_TRUE(Eventually([&] { return chronicle->live() == persistence::LiveWork{}; }));
  EXPECT_EQ(chronicle->StateJson()["state"], "ok");
}

TEST_F(ChronicleTest, EveryRunIsThereOnceWhateverFaultItsWritingMeets) {
  for (const Fault one : {Fault::kRefuse, Fault::kApplyThenTimeout, Fault::kConnectionLost}) {
    inner = persistence::OpenMemory();
    faulty = persistence::Decorate(inner, faults);
    fault = Fault::kNone;
    auto chronicle = Open();
    fault = one;
    faults_left = 5;
    for (const char* id : {"a", "b", "c"}) RunKept(*chronicle, id);
    for (const char* id : {"d", "e"}) chronicle->Began(Began(id));
    for (const char* id : {"a", "b", "c", "d", "e"}) chronicle->Ended(Ending(id));
    EXPECT_TRUE(Eventually([&] { return Saved() == 5 && chronicle->live().items.empty(); }));
    chronicle->Stop();
    EXPECT_EQ(Saved(), 5u);
  }
}

TEST_F(ChronicleTest, NewRunsAreRefusedWhileTooManyWait) {
  auto chronicle = Open();
  fault = Fault::kRefuse;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(chronicle->MayBegin().ok());
    chronicle->Began(Began(std::to_string(i)));
  }
  for (int i = 0; i < 8; ++i) chronicle->Ended(Ending(std::to_string(i)));
  ASSERT_TRUE(Eventually([&] { return chronicle->StateJson()["state"] == "degraded"; }));
  const Status refused = chronicle->MayBegin();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kBackpressure);
  EXPECT_EQ(Saved(), 0u);
  fault = Fault::kNone;
  ASSERT_TRUE(Eventually([&] { return Saved() == 8; }));
  EXPECT_TRUE(Eventually([&] { return chronicle->MayBegin().ok(); }));
  EXPECT_EQ(chronicle->StateJson()["state"], "ok");
}

TEST_F(ChronicleTest, WhoReadsTablesIsNotRecordedUnlessItsResultIsKept) {
  auto chronicle = Open();
  auto reads = Began("reads");
  reads.command = CommandOf("sheaf");
  chronicle->Began(reads);
  chronicle->Wanted(Wanted("reads", "late"));
  chronicle->Ended(Ending("reads"));
  chronicle->Settle(Path::Make({"kept", "late"}).value());
  auto keeps = Began("keeps");
  keeps.command = CommandOf("sheaf", "x");
  chronicle->Began(keeps);
  chronicle->Wanted(Wanted("keeps", "x"));
  chronicle->Ended(Ending("keeps"));
  ASSERT_TRUE(Eventually([&] { return Saved() > 0; }));
  chronicle->Stop();
  EXPECT_EQ(Saved(), 1u);
}

TEST_F(ChronicleTest, APathIsSettledWhenTheRunThatWroteItIsInHistory) {
  auto chronicle = Open();
  const Path path = Path::Make({"kept", "a"}).value();
  chronicle->Settle(path);  // Nobody wrote it.
  RunKept(*chronicle, "a");
  ASSERT_TRUE(Eventually([&] { return chronicle->live().items.size() == 1; }));
  chronicle->Settle(path);  // It still runs: that is the engine's affair.
  chronicle->Ended(Ending("a"));
  chronicle->Settle(path);
  EXPECT_EQ(Saved(), 1u);
  EXPECT_TRUE(chronicle->live().items.empty());
  fault = Fault::kRefuse;
  RunKept(*chronicle, "a2");
  chronicle->Ended(Ending("a2"));
  ASSERT_TRUE(Eventually([&] { return chronicle->StateJson()["state"] == "degraded"; }));
  chronicle->Settle(Path::Make({"kept", "a2"}).value());  // The database is away: nobody waits.
  EXPECT_EQ(Saved(), 1u);
  fault = Fault::kNone;
}

TEST_F(ChronicleTest, WhoLostItsPlaceWritesNoMore) {
  auto chronicle = Open();
  ASSERT_TRUE(inner.fencing->Acquire("node/here", "another, process 7").ok());
  chronicle->Began(Began("a"));
  chronicle->Ended(Ending("a"));
  ASSERT_TRUE(Eventually([&] { return chronicle->lost(); }));
  EXPECT_EQ(chronicle->MayBegin().error().kind, Kind::kNotReady);
  EXPECT_NE(chronicle->MayBegin().error().message.find("another, process 7"), std::string::npos);
  chronicle->Stop();
  EXPECT_EQ(Saved(), 0u);
  EXPECT_EQ(inner.fencing->Holder("node/here")->holder, "another, process 7");
}

TEST_F(ChronicleTest, ANumberThatAnotherTookIsGivenUp) {
  auto chronicle = Open();
  const auto other = inner.fencing->Acquire("node/there", "other").value();
  const Entry entry{.number = 1, .task = {"x"}, .command = CommandOf("sql"), .principal = "ben"};
  const std::vector<persistence::Work> works{WorkOf(entry, {}, {"there", 1})};
  ASSERT_TRUE(inner.history->Save(other, works).ok());
  for (const char* id : {"a", "b"}) {
    RunKept(*chronicle, id);
    chronicle->Ended(Ending(id));
  }
  EXPECT_TRUE(Eventually([&] { return Saved() == 3; }));
  EXPECT_TRUE(Eventually([&] { return chronicle->live().items.empty(); }));
}

TEST_F(ChronicleTest, AWarmStartQueuesAgainWhatIsKeptAndOnlyOnce) {
  {
    auto dies = Open();
    RunKept(*dies, "kept");
    dies->Began(Began("other"));
    ASSERT_TRUE(Eventually([&] { return dies->live().items.size() == 2; }));
  }
  {
    auto warm = Open(Start::kWarm);
    EXPECT_EQ(warm->StateJson()["to_resume"], 1);
    EXPECT_EQ(ReasonOf(2), "Premature");
    EXPECT_EQ(ReasonOf(1), "none");
  }
  auto again = Open(Start::kWarm);
  EXPECT_EQ(again->StateJson()["to_resume"], 0);
  EXPECT_EQ(ReasonOf(1), "Premature");
  EXPECT_EQ(Saved(), 2u);
  EXPECT_TRUE(again->live().items.empty());
}

TEST_F(ChronicleTest, AColdStartEndsAllAndAVisitorLeavesIt) {
  {
    auto dies = Open();
    RunKept(*dies, "kept");
    ASSERT_TRUE(Eventually([&] { return dies->live().items.size() == 1; }));
  }
  {
    auto visitor = Open(Start::kAside);
    EXPECT_EQ(visitor->live().items.size(), 1u);
    visitor->Began(Began("mine"));
    visitor->Ended(Ending("mine"));
    ASSERT_TRUE(Eventually([&] { return Saved() == 1; }));
    EXPECT_EQ(ReasonOf(2), "EndOfJob");
  }
  auto cold = Open(Start::kCold);
  EXPECT_EQ(ReasonOf(1), "Premature");
  EXPECT_TRUE(cold->live().items.empty());
  EXPECT_EQ(cold->StateJson()["to_resume"], 0);
}

TEST_F(ChronicleTest, AnItemThatHistoryHasIsOverAlready) {
  const auto epoch = inner.fencing->Acquire("node/here", "before").value();
  ASSERT_TRUE(inner.history->Restore(epoch, persistence::RestoreMode::kWarm).ok());
  Entry entry{.number = 1, .task = {"x"}, .command = CommandOf("sql", "x"), .principal = "ann"};
  entry.sinks[Path::Make({"kept", "x"}).value()] = {entry.command, "ann"};
  ASSERT_TRUE(inner.history->Checkpoint(epoch, {.items = {{1, EncodeEntry(entry)}}}).ok());
  const std::vector<persistence::Work> works{WorkOf(entry, {}, {"here", 1})};
  ASSERT_TRUE(inner.history->Save(epoch, works).ok());
  auto warm = Open(Start::kWarm);
  EXPECT_EQ(warm->StateJson()["to_resume"], 0);
  EXPECT_TRUE(warm->live().items.empty());
  EXPECT_EQ(ReasonOf(1), "EndOfJob");
}

TEST_F(ChronicleTest, AnItemThatCannotBeReadIsAccountedFor) {
  const auto epoch = inner.fencing->Acquire("node/here", "before").value();
  ASSERT_TRUE(inner.history->Restore(epoch, persistence::RestoreMode::kWarm).ok());
  ASSERT_TRUE(inner.history->Checkpoint(epoch, {.items = {{9, "what?"}}}).ok());
  auto warm = Open(Start::kWarm);
  EXPECT_EQ(ReasonOf(9), "Premature");
  EXPECT_TRUE(warm->live().items.empty());
}

TEST_F(ChronicleTest, RunningWorkIsLoadAndShareAndTheNodeGoesWithItsProcess) {
  auto chronicle = Open();
  for (const char* id : {"a", "b"}) chronicle->Began(Began(id));
  chronicle->Executing({"a"}, WallTime{1});
  ASSERT_TRUE(Eventually([&] { return inner.resources->Read()->load.size() == 2; }));
  const auto now = inner.resources->Read().value();
  ASSERT_EQ(now.shares.size(), 1u);
  EXPECT_EQ(now.shares[0].Get<"job_id">(), 1);
  EXPECT_EQ(now.nodes.at(0).Get<"shares_left">(), 1);
  EXPECT_TRUE(now.nodes.at(0).Get<"online">());
  chronicle->Stop();
  const auto after = inner.resources->Read().value();
  EXPECT_FALSE(after.nodes.at(0).Get<"online">());
  EXPECT_TRUE(after.load.empty() && after.shares.empty());
}

TEST_F(ChronicleTest, ServicesAreRegisteredOnceAndTheirStateFollows) {
  const auto state = [&](size_t count, const std::string& word) {
    const auto live = inner.services->Live().value();
    return live.size() == count && live.at(0).state.Get<"service-state">() == word;
  };
  {
    auto chronicle = Open();
    chronicle->Offer({{"sql", "sql", "here", true, ""}, {"files", "files", "here", true, ""}});
    ASSERT_TRUE(Eventually([&] { return state(2, "Available"); }));
    chronicle->Offer({{"sql", "sql", "here", false, "ill"}, {"files", "files", "here", true, ""}});
    ASSERT_TRUE(Eventually([&] { return state(2, "NotAvailable"); }));
  }
  auto again = Open();
  again->Offer({{"sql", "sql", "here", true, ""}, {"files", "files", "here", true, ""}});
  EXPECT_TRUE(Eventually([&] { return state(2, "Available"); }));
}

}  // namespace
}  // namespace sheaf::chronicle
