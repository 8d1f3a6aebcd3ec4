// PLAN  a watcher hears of a run in order, and of each sink that is wanted · not of hits · of a
//       wish that ends while others go on · inner runs are told apart · a watcher may refuse runs,
//       not hits · a path of the server's own is what its command makes: read, and as an input
#include "sheaf/host/tasks/watcher.h"

#include <gtest/gtest.h>

#include "sheaf/host/tasks/fake_service_test.h"
#include "sheaf/host/tasks/local_flights.h"

namespace sheaf::tasks {
namespace {

const char* kSunk = R"({"service":"fake","sink":{"path":["t","a"],"tier":"memory"}})";
const char* kAlso = R"({"service":"fake","sink":{"path":["t","b"],"tier":"memory"}})";

class Hearing final : public Watcher {
 public:
  Status MayBegin() override {
    if (refuses) return Fail(Kind::kBackpressure, "no more");
    return Done();
  }
  void Began(const RunBegan& run) override {
    Hear(run.place == RunBegan::Place::kOuter ? "began" : "inner");
  }
  void Wanted(const RunWanted& wanted) override {
    Hear("wanted " + wanted.command->sink->path.Text());
  }
  void NoLongerWanted(const TaskId&, const Path& sink) override { Hear("dropped " + sink.Text()); }
  void Settle(const Path&) override {}
  void Executing(const TaskId&, WallTime) override { Hear("executing"); }
  void Ended(const RunEnding& run) override {
    Hear(std::string(RunStateName(run.state)) + " " + std::to_string(run.rows));
  }
  std::vector<std::string> heard() {
    MutexLock lock(mutex_);
    return heard_;
  }
  std::atomic<bool> refuses{false};

 private:
  void Hear(std::string what) {
    MutexLock lock(mutex_);
    heard_.push_back(std::move(what));
  }
  Mutex mutex_;
  std::vector<std::string> heard_ SHEAF_GUARDED_BY(mutex_);
};

class OneOwn final : public OwnFlights {
 public:
  std::vector<OwnFlight> All() const override { return {{path, nullptr}}; }
  std::shared_ptr<const Command> At(const Path& at) const override {
    return at == path ? command : nullptr;
  }
  uint64_t generation() const override { return now; }
  const Path path = Path::Make({"own", "flight"}).value();
  const std::shared_ptr<const Command> command =
      Command::Parse(R"({"service":"fake","options":{"share":false}})").value();
  uint64_t now = 1;
};

using Words = std::vector<std::string>;

TEST(WatcherTest, HearsOfARunInOrderAndNotOfHits) {
  Hearing hearing;
  EngineHouse house(4, &hearing);
  house.service.OpenGate("all");
  house.Ended(house.Submit(kSunk).value());
  EXPECT_EQ(house.Submit(kSunk)->outcome, Outcome::kHit);
  EXPECT_EQ(hearing.heard(), (Words{"began", "wanted t/a", "executing", "completed 20"}));
}

TEST(WatcherTest, HearsOfAWishThatEndsWhileAnotherGoesOn) {
  Hearing hearing;
  EngineHouse house(4, &hearing);
  const auto first = house.Submit(kSunk).value();
  ASSERT_TRUE(house.Ready(first).ok());
  const auto second = house.Submit(kAlso).value();
  EXPECT_EQ(second.outcome, Outcome::kAttached);
  house.engine.EndInterest(first, Fail(Kind::kCancelled, "enough"));
  house.service.OpenGate("all");
  house.Ended(second);
  EXPECT_EQ(hearing.heard(), (Words{"began", "wanted t/a", "executing", "wanted t/b", "dropped t/a",
                                    "completed 20"}));
}

TEST(WatcherTest, TellsInnerRunsApart) {
  Hearing hearing;
  EngineHouse house(4, &hearing);
  house.service.OpenGate("all");
  const auto outer = house.Submit(R"({"service":"fake","inputs":{"i":{"service":"fake",
                                      "spec":{"name":"inner"}}}})");
  ASSERT_TRUE(outer.ok()) << outer.error().message;
  house.Ended(*outer);
  const auto heard = hearing.heard();
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "began"), 1);
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "inner"), 1);
}

TEST(WatcherTest, MayRefuseRunsButNotHits) {
  Hearing hearing;
  EngineHouse house(4, &hearing);
  house.service.OpenGate("all");
  house.Ended(house.Submit(kSunk).value());
  hearing.refuses = true;
  EXPECT_EQ(house.Submit(kSunk)->outcome, Outcome::kHit);
  const auto refused = house.Submit(R"({"service":"fake"})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kBackpressure);
  EXPECT_EQ(house.engine.active(), 0u);
  EXPECT_EQ(house.admission.load().running, 0u);
}

TEST(OwnFlightsTest, APathOfTheServersOwnIsAnInputThatIsNeverTheSameTwice) {
  OneOwn own;
  EngineHouse house(4, nullptr, &own);
  house.service.OpenGate("all");
  const std::string reads = R"({"service":"fake","inputs":{"i":{"path":["own","flight"]}},
                                "sink":{"path":["t","c"],"tier":"memory"}})";
  house.Ended(house.Submit(reads).value());
  EXPECT_EQ(house.service.runs, 2);
  EXPECT_EQ(house.Submit(reads)->outcome, Outcome::kHit);
  own.now = 2;
  const auto again = house.Submit(reads).value();
  EXPECT_EQ(again.outcome, Outcome::kRun);
  house.Ended(again);
  EXPECT_EQ(house.service.runs, 4);
}

}  // namespace
}  // namespace sheaf::tasks
