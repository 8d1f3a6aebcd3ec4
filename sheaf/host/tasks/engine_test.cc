// PLAN  a command runs once for many and each reads all of it · share false and another identity
//       run apart · a sink is a hit the second time, and every reuse does what it says · the last
//       interest's end stops the run, one of two leaves it whole · unclaimed runs end in their
//       window · nested runs are shared and their sinks are committed before the outer ends
//       · a failing run leaves nothing, its bytes go with its last reader · a second writer of a
//       path conflicts · retain 0 is read once and never kept · queued trees go one by one and none
//       is lost · a deadline ends a run · retain counts from the end of what was opened · a task
//       remembers its size · Explain starts nothing and misses what a run would
#include "sheaf/host/tasks/engine.h"

#include <gtest/gtest.h>

#include "sheaf/host/tasks/fake_service_test.h"

namespace sheaf::tasks {
namespace {

using namespace std::chrono_literals;

const char* kPlain = R"({"service":"fake"})";
const char* kSunk = R"({"service":"fake","sink":{"path":["t","a"],"tier":"memory"}})";

std::string Sunk(const std::string& reuse, const std::string& spec = "{}",
                 const std::string& more = "") {
  return R"({"service":"fake","spec":)" + spec +
         R"(,"sink":{"path":["t","a"],"tier":"memory","reuse":")" + reuse + "\"" + more + "}}";
}

std::vector<int64_t> Twenty() {
  std::vector<int64_t> rows(20);
  for (int64_t i = 0; i < 20; ++i) rows[static_cast<size_t>(i)] = i;
  return rows;
}

struct EngineTest : testing::Test {
  EngineHouse house;
};

TEST_F(EngineTest, ACommandRunsOnceForManyAndEachReadsAllOfIt) {
  std::vector<Submission> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(house.Submit(kPlain).value());
    ASSERT_TRUE(house.Ready(all.back()).ok());
  }
  house.service.OpenGate("all");
  for (auto& one : all) EXPECT_EQ(house.ReadAll(one).value(), Twenty());
  EXPECT_EQ(house.service.runs, 1);
  EXPECT_EQ(all[0].outcome, Outcome::kRun);
  EXPECT_EQ(all[1].outcome, Outcome::kAttached);
}

TEST_F(EngineTest, AFollowerReadsTheFirstBatchWhileTheRunIsStillWriting) {
  auto submission = house.Submit(kPlain).value();
  ASSERT_TRUE(house.Ready(submission).ok());
  auto stream = house.engine.Open(submission, 0).value();
  EXPECT_NE(stream.reader->Wait({}).value(), nullptr);
  EXPECT_EQ(house.service.running, 1);
  house.service.OpenGate("all");
  EXPECT_NE(stream.reader->Wait({}).value(), nullptr);
  EXPECT_EQ(stream.reader->Wait({}).value(), nullptr);
}

TEST_F(EngineTest, ShareFalseNeverAttaches) {
  house.service.OpenGate("all");
  auto a = house.Submit(R"({"service":"fake","options":{"share":false}})").value();
  auto b = house.Submit(R"({"service":"fake","options":{"share":false}})").value();
  for (const auto& one : {a, b}) {
    ASSERT_TRUE(house.Ready(one).ok());
    EXPECT_EQ(house.ReadAll(one).value(), Twenty());
  }
  EXPECT_EQ(house.service.runs, 2);
}

TEST_F(EngineTest, ASinkIsAHitTheSecondTime) {
  house.service.OpenGate("all");
  auto first = house.Submit(kSunk).value();
  EXPECT_EQ(first.outcome, Outcome::kRun);
  house.Ended(first);
  auto second = house.Submit(kSunk).value();
  EXPECT_EQ(second.outcome, Outcome::kHit);
  EXPECT_EQ(house.ReadAll(second).value(), Twenty());
  EXPECT_EQ(house.service.runs, 1);
  EXPECT_EQ(house.engine.Metadata(second)["hit"], true);
}

TEST_F(EngineTest, EveryReuseDoesWhatItSaysWhenTheCommandChanges) {
  house.service.OpenGate("all");
  EXPECT_EQ(house.Submit(Sunk("only")).error().kind, Kind::kNotFound);
  house.Ended(house.Submit(Sunk("if_same")).value());
  const std::string other = R"({"other":1})";
  EXPECT_EQ(house.Submit(Sunk("only", other)).value().outcome, Outcome::kHit);
  EXPECT_EQ(house.Submit(Sunk("if_exists", other)).value().outcome, Outcome::kHit);
  auto replaced = house.Submit(Sunk("if_same", other)).value();
  EXPECT_EQ(replaced.outcome, Outcome::kRun);
  house.Ended(replaced);
  EXPECT_EQ(house.Submit(Sunk("if_same", other)).value().outcome, Outcome::kHit);
  auto never = house.Submit(Sunk("never", other)).value();
  EXPECT_EQ(never.outcome, Outcome::kRun);
  house.Ended(never);
  EXPECT_EQ(house.service.runs, 3);
}

TEST_F(EngineTest, IfFreshLooksAtEverySourceBelow) {
  house.service.OpenGate("all");
  house.service.SetToken("file", "1");
  const std::string command =
      R"({"service":"fake","inputs":{"x":{"service":"fake","spec":{"source":"file"},
          "sink":{"path":["t","below"],"tier":"memory"}}},
          "sink":{"path":["t","a"],"tier":"memory","reuse":"if_fresh"}})";
  house.Ended(house.Submit(command).value());
  EXPECT_EQ(house.Submit(command).value().outcome, Outcome::kHit);
  house.service.SetToken("file", "2");
  auto stale = house.Submit(command).value();
  EXPECT_EQ(stale.outcome, Outcome::kRun);
  house.Ended(stale);
  EXPECT_FALSE(stale.run->error.has_value()) << stale.run->error->message;
  EXPECT_EQ(house.service.runs, 4) << "below if_fresh a nested if_same counts as if_fresh";
  EXPECT_EQ(house.Submit(command).value().outcome, Outcome::kHit);
}

TEST_F(EngineTest, ASourceWithoutATokenIsNeverFresh) {
  house.service.OpenGate("all");
  const std::string command = Sunk("if_fresh", R"({"source":"nameless"})");
  house.Ended(house.Submit(command).value());
  auto again = house.Submit(command).value();
  EXPECT_EQ(again.outcome, Outcome::kRun);
  house.Ended(again);
}

TEST_F(EngineTest, ASourceThatChangesWhileItIsReadFailsTheRunAndKeepsNothing) {
  house.service.SetToken("file", "1");
  auto run = house.Submit(Sunk("if_same", R"({"source":"file"})")).value();
  ASSERT_TRUE(house.Ready(run).ok());
  house.service.SetToken("file", "2");
  house.service.OpenGate("all");
  house.Ended(run);
  EXPECT_EQ(house.ReadAll(run).error().kind, Kind::kFailed);
  EXPECT_FALSE(house.store->Lookup(Path::Make({"t", "a"}).value()).has_value());
}

TEST_F(EngineTest, OneOfTwoSharersMayLeaveAndTheLastOneStopsTheRun) {
  auto a = house.Submit(kPlain).value();
  auto b = house.Submit(kPlain).value();
  ASSERT_TRUE(house.Ready(a).ok());
  ASSERT_TRUE(house.Ready(b).ok());
  house.engine.EndInterest(a, Fail(Kind::kCancelled, "a goes"));
  EXPECT_EQ(house.service.running, 1);
  EXPECT_FALSE(b.run->cancel.cancelled());
  house.engine.EndInterest(b, Fail(Kind::kCancelled, "b goes"));
  house.Ended(b);
  EXPECT_EQ(b.run->state, RunState::kCancelled);
  EXPECT_EQ(house.service.running, 0);
}

TEST_F(EngineTest, AnUnclaimedRunEndsWithItsWindow) {
  auto run = house.Submit(kPlain).value();
  ASSERT_TRUE(house.Ready(run).ok());
  house.clock.Advance(29s);
  house.engine.Tick();
  EXPECT_FALSE(run.run->cancel.cancelled());
  house.clock.Advance(2s);
  house.engine.Tick();
  house.Ended(run);
  EXPECT_EQ(run.run->state, RunState::kCancelled);
}

TEST_F(EngineTest, ASunkRunGoesOnWhenItsCallerIsGone) {
  auto run = house.Submit(kSunk).value();
  ASSERT_TRUE(house.Ready(run).ok());
  house.clock.Advance(10min);
  house.engine.Tick();
  house.service.OpenGate("all");
  house.Ended(run);
  EXPECT_EQ(run.run->state, RunState::kCompleted);
  EXPECT_TRUE(house.store->Lookup(Path::Make({"t", "a"}).value()).has_value());
}

TEST_F(EngineTest, TwoOutersShareOneSlowInput) {
  const auto outer = [](int n) {
    return R"({"service":"fake","spec":{"n":)" + std::to_string(n) +
           R"(},"inputs":{"x":{"service":"fake","spec":{"slow":1}}}})";
  };
  auto a = house.Submit(outer(1)).value();
  auto b = house.Submit(outer(2)).value();
  house.service.OpenGate("all");
  ASSERT_TRUE(house.Ready(a).ok());
  ASSERT_TRUE(house.Ready(b).ok());
  EXPECT_EQ(house.ReadAll(a).value(), Twenty());
  EXPECT_EQ(house.ReadAll(b).value(), Twenty());
  EXPECT_EQ(house.service.runs, 3);
}

TEST_F(EngineTest, ANestedSinkIsReusedByAnotherOuterCommand) {
  house.service.OpenGate("all");
  const std::string nested =
      R"("inputs":{"x":{"service":"fake","sink":{"path":["t","nested"],"tier":"memory"}}}})";
  auto a = house.Submit(R"({"service":"fake",)" + nested).value();
  ASSERT_TRUE(house.Ready(a).ok());
  EXPECT_EQ(house.ReadAll(a).value(), Twenty());
  EXPECT_TRUE(house.store->Lookup(Path::Make({"t", "nested"}).value()).has_value())
      << "who read to the end finds the paths";
  auto b = house.Submit(R"({"service":"fake","spec":{"n":1},)" + nested).value();
  ASSERT_TRUE(house.Ready(b).ok());
  EXPECT_EQ(house.ReadAll(b).value(), Twenty());
  EXPECT_EQ(house.service.runs, 3);
}

TEST_F(EngineTest, AFailingRunLeavesNothingAndItsReadersGetItsError) {
  auto run = house.Submit(kSunk).value();
  ASSERT_TRUE(house.Ready(run).ok());
  house.service.FailNext();
  house.service.OpenGate("all");
  house.Ended(run);
  auto read = house.ReadAll(run);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message, "half-way");
  EXPECT_FALSE(house.store->Lookup(Path::Make({"t", "a"}).value()).has_value());
}

TEST_F(EngineTest, TheBytesOfAFailedRunGoWithItsLastReader) {
  for (const bool cancelled : {true, false}) {
    auto run = house.Submit(Sunk("if_same", cancelled ? R"({"n":1})" : "{}")).value();
    ASSERT_TRUE(house.Ready(run).ok());
    const uint64_t generation = house.engine.FlightOf(run).value()->generation();
    auto stream = house.engine.Open(run, 0).value();
    if (cancelled) {
      house.engine.EndInterest(run, Fail(Kind::kCancelled, "half-way"));
    } else {
      house.service.FailNext();
      house.service.OpenGate("all");
    }
    house.Ended(run);
    EXPECT_EQ(house.ReadAll(run).error().message, "half-way");
    auto ticket = house.engine.Find(run.run->id, run.interest, generation);
    EXPECT_EQ(ticket.ok(), !cancelled) << "its interest can be ended still";
    EXPECT_EQ((ticket.ok() ? house.engine.Open(*ticket, 0).error() : ticket.error()).message,
              "half-way");
    EXPECT_GT(house.store->usage().memory_used, 0_B) << "a reader is open";
    EXPECT_NE(stream.reader->Wait({}).value(), nullptr);
    EXPECT_EQ(stream.reader->Wait({}).error().message, "half-way");
    stream.reader.reset();
    // The thread that ran it may still be on its way out.
    for (int i = 0; i < 20'000 && house.store->usage().memory_used > 0_B; ++i) {
      static_cast<void>(Event().WaitFor(1ms));
    }
    EXPECT_EQ(house.store->usage().memory_used, 0_B);
    const auto gone = house.store->LookupGeneration({}, generation);
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().kind, Kind::kResultGone);
  }
}

TEST_F(EngineTest, ASecondWriterOfAPathConflicts) {
  auto run = house.Submit(kSunk).value();
  auto other = house.Submit(Sunk("if_same", R"({"n":1})"));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().kind, Kind::kConflict);
  EXPECT_NE(other.error().details.find(run.run->id.text), std::string::npos);
  EXPECT_EQ(house.Submit(Sunk("never")).error().kind, Kind::kConflict);
  auto upload = house.engine.OpenUpload({.path = Path::Make({"t", "a"}).value()},
                                        testkit::NumbersSchema(), {});
  EXPECT_EQ(upload.error().kind, Kind::kConflict);
  EXPECT_EQ(house.Submit(kSunk).value().outcome, Outcome::kAttached);
}

TEST_F(EngineTest, AnAttachedCallersSinkIsOneMoreRowAtTheCommit) {
  auto a = house.Submit(kSunk).value();
  auto b = house.Submit(R"({"service":"fake","sink":{"path":["t","b"],"tier":"memory"}})").value();
  EXPECT_EQ(b.outcome, Outcome::kAttached);
  house.service.OpenGate("all");
  house.Ended(a);
  auto first = house.store->Lookup(Path::Make({"t", "a"}).value());
  auto second = house.store->Lookup(Path::Make({"t", "b"}).value());
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(house.service.runs, 1);
}

TEST_F(EngineTest, AnUploadInTheWayIsAConflictAndIfExistsUsesIt) {
  auto upload = house.engine
                    .OpenUpload({.path = Path::Make({"t", "a"}).value(), .tier = Tier::kMemory},
                                testkit::NumbersSchema(), {})
                    .value();
  ASSERT_TRUE(upload->Write(testkit::Numbers(0, 5)).ok());
  ASSERT_TRUE(upload->Commit().ok());
  upload.reset();
  EXPECT_EQ(house.Submit(Sunk("if_same")).error().kind, Kind::kConflict);
  EXPECT_EQ(house.Submit(Sunk("if_exists")).value().outcome, Outcome::kHit);
  house.service.OpenGate("all");
  house.Ended(house.Submit(Sunk("never")).value());
  EXPECT_EQ(house.Submit(Sunk("if_same")).value().outcome, Outcome::kHit);
}

TEST_F(EngineTest, RetainZeroIsReadOnceAndNeverShared) {
  house.service.OpenGate("all");
  const char* command = R"({"service":"fake","options":{"retain_s":0}})";
  auto a = house.Submit(command).value();
  auto b = house.Submit(command).value();
  EXPECT_EQ(b.outcome, Outcome::kRun);
  ASSERT_TRUE(house.Ready(a).ok());
  EXPECT_EQ(house.ReadAll(a).value(), Twenty());
  EXPECT_EQ(house.ReadAll(a).error().kind, Kind::kResultGone);
  EXPECT_EQ(house.store->usage().flights, 0);
}

TEST_F(EngineTest, AResultOpenedIsKeptForRetainAndNoLonger) {
  house.service.OpenGate("all");
  auto run = house.Submit(R"({"service":"fake","options":{"retain_s":1}})").value();
  ASSERT_TRUE(house.Ready(run).ok());
  house.Ended(run);
  EXPECT_EQ(house.ReadAll(run).value(), Twenty());
  EXPECT_EQ(house.ReadAll(run).value(), Twenty());
  house.clock.Advance(2s);
  house.engine.Tick();
  EXPECT_EQ(house.ReadAll(run).error().kind, Kind::kResultGone);
  EXPECT_EQ(house.engine.Join(run.run->id, {}, Hold::kClaim).error().kind, Kind::kResultGone);
}

TEST_F(EngineTest, ATaskRemembersItsRowsWhenItsResultIsGone) {
  house.service.OpenGate("all");
  const auto outer =
      house
          .Submit(R"({"service":"fake","inputs":{"x":{"service":"fake","spec":{"n":1}}}})",
                  Hold::kCall)
          .value();
  ASSERT_TRUE(house.Ready(outer).ok());
  house.Ended(outer);
  EXPECT_EQ(house.ReadAll(outer).value(), Twenty());
  house.engine.EndInterest(outer, Fail(Kind::kCancelled, "its call ended"));
  EXPECT_EQ(house.store->usage().flights, 0);
  const Json task = house.engine.Describe(outer.run->id, {}).value();
  for (const Json& each : {task, task["inputs"]["x"]}) {
    EXPECT_EQ(each["rows"], 20);
    EXPECT_GT(each["bytes"], 0);
  }
}

TEST_F(EngineTest, ADeadlineEndsTheRun) {
  auto run = house.Submit(R"({"service":"fake","options":{"deadline_ms":5000}})").value();
  ASSERT_TRUE(house.Ready(run).ok());
  house.clock.Advance(6s);
  house.engine.Tick();
  house.Ended(run);
  EXPECT_EQ(run.run->error->kind, Kind::kDeadline);
}

TEST_F(EngineTest, ATaskGivesItsResultThenItsErrorThenGone) {
  house.service.OpenGate("all");
  auto run = house.Submit(kPlain).value();
  house.Ended(run);
  auto joined = house.engine.Join(run.run->id, {}, Hold::kClaim);
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(house.ReadAll(*joined).value(), Twenty());
  house.clock.Advance(5min);
  house.engine.Tick();
  house.engine.Tick();
  EXPECT_EQ(house.engine.Join(run.run->id, {}, Hold::kClaim).error().kind, Kind::kResultGone);
  EXPECT_EQ(house.engine.Join({"nobody"}, {}, Hold::kClaim).error().kind, Kind::kNotFound);
  flights::Context stranger;
  stranger.principal = "eve";
  auto fresh = house.Submit(kPlain).value();
  EXPECT_EQ(house.engine.Join(fresh.run->id, stranger, Hold::kClaim).error().kind, Kind::kNotFound);
}

TEST_F(EngineTest, AMissingPathInputIsNotFoundAndNamesIt) {
  auto missing = house.Submit(R"({"service":"fake","inputs":{"x":{"path":["no","where"]}}})");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, Kind::kNotFound);
  EXPECT_NE(missing.error().message.find("inputs.x"), std::string::npos);
  EXPECT_EQ(house.Submit(R"({"service":"nope"})").error().kind, Kind::kUnknownService);
  EXPECT_EQ(house.Submit(R"({"service":"fake","sink":{"path":["sheaf","x"]}})").error().kind,
            Kind::kForbidden);
}

TEST(EngineQueueTest, QueuedTreesGoOneByOneAndACancelledOneFreesItsPlace) {
  EngineHouse house(1);
  std::vector<Submission> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(house
                      .Submit(R"({"service":"fake","spec":{"n":)" + std::to_string(i) +
                              R"(},"inputs":{"x":{"service":"fake","spec":{"m":)" +
                              std::to_string(i) + "}}}}")
                      .value());
  }
  house.engine.EndInterest(all[2], Fail(Kind::kCancelled, "no"));
  house.service.OpenGate("all");
  for (size_t i : {0u, 1u, 3u}) {
    ASSERT_TRUE(house.Ready(all[i]).ok());
    EXPECT_EQ(house.ReadAll(all[i]).value(), Twenty());
  }
  EXPECT_EQ(house.service.runs, 6);
  EXPECT_EQ(house.admission.load().waiting, 0u);
}

TEST(EngineQueueTest, AnAdmittedTreeCarriesAQueuedRunThatItNeeds) {
  EngineHouse house(1);
  auto running = house.Submit(R"({"service":"fake","spec":{"hold":1}})").value();
  ASSERT_TRUE(house.Ready(running).ok());
  // `slow` waits for a slot; a higher-priority tree needs it as input and comes first.
  auto slow = house.Submit(R"({"service":"fake","spec":{"slow":1}})").value();
  auto outer = house
                   .Submit(R"({"service":"fake","inputs":{"x":{"service":"fake",
      "spec":{"slow":1}}},"options":{"priority":9}})")
                   .value();
  house.service.OpenGate("all");
  ASSERT_TRUE(house.Ready(outer).ok());
  EXPECT_EQ(house.ReadAll(outer).value(), Twenty());
  ASSERT_TRUE(house.Ready(slow).ok());
  EXPECT_EQ(house.ReadAll(slow).value(), Twenty());
  EXPECT_EQ(house.service.runs, 3);
}

TEST_F(EngineTest, ExplainMarksWhatWouldHappenAndStartsNothing) {
  house.service.OpenGate("all");
  house.Ended(house.Submit(kSunk).value());
  auto parsed =
      Command::Parse(R"({"service":"fake","inputs":{"x":)" + std::string(kSunk) + "}}").value();
  const Json tree = house.engine.Explain(parsed, {}).value();
  EXPECT_EQ(tree["outcome"], "planned");
  EXPECT_EQ(tree["inputs"]["x"]["outcome"], "hit");
  EXPECT_EQ(house.service.runs, 1);
}

TEST_F(EngineTest, ExplainOfAMissingPathInputIsNotFoundAsTheRunIs) {
  const auto parsed = Command::Parse(
                          R"({"service":"fake","inputs":{"y":{"service":"fake",
          "inputs":{"x":{"path":["no","where"]}}}}})")
                          .value();
  const auto explained = house.engine.Explain(parsed, {});
  ASSERT_FALSE(explained.ok());
  EXPECT_EQ(explained.error().kind, Kind::kNotFound);
  EXPECT_NE(explained.error().message.find("inputs.y: inputs.x"), std::string::npos);
}

TEST_F(EngineTest, DrainRefusesNewRunsAndTellsWhenTheLastIsGone) {
  auto run = house.Submit(kPlain).value();
  ASSERT_TRUE(house.Ready(run).ok());
  Event drained;
  house.engine.Drain([&] { drained.Set(); });
  EXPECT_EQ(house.Submit(R"({"service":"fake","spec":{"n":1}})").error().kind, Kind::kShuttingDown);
  EXPECT_FALSE(drained.IsSet());
  house.service.OpenGate("all");
  EXPECT_TRUE(drained.WaitFor(20s));
}

}  // namespace
}  // namespace sheaf::tasks
