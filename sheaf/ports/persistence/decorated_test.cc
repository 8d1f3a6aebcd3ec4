// PLAN  faults refuse, lose the answer, lose the connection, delay · calls are counted and timed ·
//       retries wait longer and longer, a random part, until the deadline · what is no failure of
//       the moment is not repeated · a lost answer stays lost
#include "sheaf/ports/persistence/decorated.h"

#include <gtest/gtest.h>

#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/time/manual_clock.h"
#include "sheaf/ports/persistence/faulty_persistence.h"
#include "sheaf/ports/persistence/metered_persistence.h"
#include "sheaf/ports/persistence/retried_persistence.h"

namespace sheaf::persistence {
namespace {

using namespace std::chrono_literals;

class CountingFencing final : public Fencing {
 public:
  int acquired = 0;
  Result<Epoch> Acquire(std::string_view scope, std::string_view holder) override {
    ++acquired;
    return Epoch{std::string(scope), 1, std::string(holder)};
  }
  Result<Epoch> Holder(std::string_view) override { return Fail(Kind::kNotFound, "nobody"); }
  Status Release(const Epoch&) override { return Done(); }
};

TEST(FaultsTest, RefuseLoseTheAnswerLoseTheConnectionAndDelay) {
  CountingFencing inner;
  Fault fault = Fault::kRefuse;
  int delays = 0;
  Faults faults([&](Verb) { return fault; }, [&] { ++delays; });
  DecoratedFencing<Faults> faulty(inner, faults);
  EXPECT_EQ(faulty.Acquire("cluster", "a").error().effect, Effect::kNone);
  fault = Fault::kConnectionLost;
  EXPECT_EQ(faulty.Acquire("cluster", "a").error().effect, Effect::kUnknown);
  EXPECT_EQ(inner.acquired, 0);
  fault = Fault::kApplyThenTimeout;
  EXPECT_EQ(faulty.Acquire("cluster", "a").error().kind, Kind::kDeadline);
  EXPECT_EQ(inner.acquired, 1);
  fault = Fault::kDelay;
  EXPECT_TRUE(faulty.Acquire("cluster", "a").ok());
  EXPECT_EQ(delays, 1);
  fault = Fault::kNone;
  EXPECT_TRUE(faulty.Release({}).ok());
}

TEST(MeterTest, CallsAreCountedByVerbAndOutcome) {
  CountingFencing inner;
  ManualClock clock;
  observe::MemoryMetrics metrics;
  Meter meter(clock, metrics);
  DecoratedFencing<Meter> metered(inner, meter);
  EXPECT_TRUE(metered.Acquire("cluster", "a").ok());
  EXPECT_FALSE(metered.Holder("cluster").ok());
  const auto value = [&](std::string_view verb, std::string_view outcome) {
    return metrics.Value("sheaf_persistence_calls_total{outcome=\"" + std::string(outcome) +
                         "\",verb=\"" + std::string(verb) + "\"}");
  };
  EXPECT_EQ(value("acquire", "done"), 1);
  EXPECT_EQ(value("holder", "failed"), 1);
  EXPECT_EQ(value("holder", "done"), 0);
}

class RetriesTest : public testing::Test {
 protected:
  Result<Epoch> Acquire(RetryOptions options = {}) {
    Retries retries(
        clock_, metrics_,
        [this](Duration wait) {
          waits_.push_back(wait);
          clock_.Advance(wait);
          return stop_ ? Status(Fail(Kind::kShuttingDown, "stop")) : Done();
        },
        [this] { return chance_; }, options);
    Faults faults([this](Verb) {
      clock_.Advance(1ms);
      return faults_.empty() ? rest_
                             : std::exchange(faults_, {faults_.begin() + 1, faults_.end()})[0];
    });
    DecoratedFencing<Faults> faulty(inner_, faults);
    DecoratedFencing<Retries> retried(faulty, retries);
    return retried.Acquire("cluster", "a");
  }
  ManualClock clock_;
  observe::MemoryMetrics metrics_;
  CountingFencing inner_;
  std::vector<Fault> faults_;
  Fault rest_ = Fault::kNone;
  std::vector<Duration> waits_;
  double chance_ = 0.5;
  bool stop_ = false;
};

TEST_F(RetriesTest, WaitsGrowAndAreAPartOfTheirSpan) {
  faults_ = {Fault::kRefuse, Fault::kApplyThenTimeout, Fault::kConnectionLost};
  EXPECT_TRUE(Acquire().ok());
  EXPECT_EQ(waits_, (std::vector<Duration>{10ms, 20ms, 40ms}));
  EXPECT_EQ(metrics_.Value("sheaf_persistence_retries_total"), 3);
}

TEST_F(RetriesTest, EndsAtTheDeadlineWithTheLastError) {
  rest_ = Fault::kRefuse;
  const Instant start = clock_.Now();
  const auto answer = Acquire({.deadline = 3s});
  EXPECT_EQ(answer.error().kind, Kind::kDependency);
  EXPECT_GE(clock_.Now() - start, 3s);
  EXPECT_LT(clock_.Now() - start, 4s);
}

TEST_F(RetriesTest, ALostAnswerStaysLost) {
  faults_ = {Fault::kApplyThenTimeout};
  rest_ = Fault::kRefuse;
  EXPECT_EQ(Acquire({.deadline = 100ms}).error().effect, Effect::kUnknown);
}

TEST_F(RetriesTest, EndsWhenTheProcessStops) {
  rest_ = Fault::kRefuse;
  stop_ = true;
  EXPECT_FALSE(Acquire().ok());
  EXPECT_EQ(waits_.size(), 1u);
}

TEST_F(RetriesTest, WhatIsNoFailureOfTheMomentIsNotRepeated) {
  Retries retries(
      clock_, metrics_,
      [](Duration) -> Status {
        ADD_FAILURE() << "waited";
        return Done();
      },
      [] { return 0.5; });
  DecoratedFencing<Retries> retried(inner_, retries);
  EXPECT_EQ(retried.Holder("cluster").error().kind, Kind::kNotFound);
}

}  // namespace
}  // namespace sheaf::persistence
