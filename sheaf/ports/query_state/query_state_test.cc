// PLAN  the table is the contract's and nothing else · a step needs the present epoch and owner,
//       a cancel only the epoch · queue draws an epoch · reset hands over, its end forgets
//       · faults refuse, or apply and lose the answer
#include "sheaf/ports/query_state/query_state.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>

#include "sheaf/ports/query_state/faulty_query_state.h"
#include "sheaf/ports/query_state/step.h"

namespace sheaf::query_state {
namespace {

constexpr int kStates = 8, kTriggers = 8;

TEST(QueryStateTableTest, EveryTransitionIsOneOfTheContract) {
  std::set<std::string> seen;
  for (int s = 0; s < kStates; ++s) {
    for (int t = 0; t < kTriggers; ++t) {
      const auto from = static_cast<State>(s);
      const auto trigger = static_cast<Trigger>(t);
      if (const auto to = Next(from, trigger)) {
        seen.insert(std::string(StateName(from)) + " " + std::string(TriggerName(trigger)) + " " +
                    std::string(StateName(*to)));
      }
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{
                      "known queue queued",
                      "queued execute executing",
                      "executing finish completed",
                      "executing error errored",
                      "queued cancel cancelled",
                      "executing cancel cancelled",
                      "completed reset resetting",
                      "errored reset resetting",
                      "cancelled reset resetting",
                      "reset_failed reset resetting",
                      "resetting finish_resetting known",
                      "resetting reset_failed reset_failed",
                  }));
}

Step Make(Trigger trigger, std::string owner, uint64_t epoch) {
  return {.key = "k", .trigger = trigger, .owner = std::move(owner), .epoch = epoch};
}

TEST(ApplyStepTest, QueueDrawsTheEpochAndExecuteNeedsIt) {
  Record record;
  EXPECT_TRUE(ApplyStep(record, Make(Trigger::kQueue, "a", 0), {5}, 7));
  EXPECT_EQ(record.epoch, 7u);
  EXPECT_EQ(record.lease_until.micros, 15'000'005);
  EXPECT_FALSE(ApplyStep(record, Make(Trigger::kQueue, "b", 0), {6}, 8));
  EXPECT_FALSE(ApplyStep(record, Make(Trigger::kExecute, "a", 6), {6}, 8));
  EXPECT_FALSE(ApplyStep(record, Make(Trigger::kExecute, "b", 7), {6}, 8));
  EXPECT_TRUE(ApplyStep(record, Make(Trigger::kExecute, "a", 7), {6}, 8));
  EXPECT_EQ(record.started.micros, 6);
  EXPECT_EQ(record.owner, "a");
}

TEST(ApplyStepTest, AnybodyWhoKnowsTheEpochMayCancel) {
  Record record;
  ASSERT_TRUE(ApplyStep(record, Make(Trigger::kQueue, "a", 0), {5}, 7));
  EXPECT_FALSE(ApplyStep(record, Make(Trigger::kCancel, "b", 6), {6}, 8));
  EXPECT_TRUE(ApplyStep(record, Make(Trigger::kCancel, "b", 7), {6}, 8));
  EXPECT_EQ(record.owner, "a");
  EXPECT_EQ(record.lease_until.micros, 0);
}

TEST(ApplyStepTest, ResetHandsOverAndItsEndForgets) {
  Record record{.state = State::kErrored, .owner = "a", .epoch = 7, .error = "broken"};
  EXPECT_TRUE(ApplyStep(record, Make(Trigger::kReset, "b", 0), {6}, 8));
  EXPECT_EQ(record.owner, "b");
  EXPECT_FALSE(ApplyStep(record, Make(Trigger::kFinishResetting, "a", 7), {6}, 8));
  EXPECT_TRUE(ApplyStep(record, Make(Trigger::kFinishResetting, "b", 7), {6}, 8));
  EXPECT_EQ(record, Record{});
}

TEST(ApplyStepTest, AnErrorIsCutToItsLimit) {
  Record record{.state = State::kExecuting, .owner = "a", .epoch = 7};
  Step step = Make(Trigger::kError, "a", 7);
  step.error.assign(kErrorBytesMax + 10, 'x');
  EXPECT_TRUE(ApplyStep(record, step, {6}, 8));
  EXPECT_EQ(record.error.size(), kErrorBytesMax);
}

class CountingStore final : public QueryState {
 public:
  int applied = 0;
  Result<Outcome> Apply(const Step&) override {
    ++applied;
    return Outcome{};
  }
  Result<Record> Get(std::string_view) override { return Record{}; }
  Result<bool> Renew(std::string_view, std::string_view, uint64_t, Duration) override {
    return true;
  }
  Status SetProgress(std::string_view, uint64_t, Progress) override { return Done(); }
  Status Watch(std::string_view, State, std::function<void(Record)>) override { return Done(); }
  Result<std::vector<std::string>> Reap() override { return std::vector<std::string>{}; }
};

TEST(FaultyQueryStateTest, RefusesOrAppliesAndLosesTheAnswer) {
  CountingStore inner;
  Fault fault = Fault::kRefuse;
  FaultyQueryState faulty(inner, [&] { return fault; });
  EXPECT_EQ(faulty.Apply({}).error().effect, Effect::kNone);
  EXPECT_EQ(inner.applied, 0);
  fault = Fault::kApplyThenTimeout;
  EXPECT_EQ(faulty.Apply({}).error().effect, Effect::kUnknown);
  EXPECT_EQ(inner.applied, 1);
  fault = Fault::kNone;
  EXPECT_TRUE(faulty.Apply({}).ok());
  EXPECT_TRUE(faulty.Renew("k", "a", 1, {}).ok());
}

}  // namespace
}  // namespace sheaf::query_state
