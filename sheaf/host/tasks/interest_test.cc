// PLAN  nobody opened it: the claim window, before and after the run's end · opened: retain after
//       the end or the last reader, shorter or longer than the window · an error is told for retain
//       · retain 0 is gone with its reader, and its error is still told · a sink lives to the end
#include "sheaf/host/tasks/interest.h"

#include <gtest/gtest.h>

namespace sheaf::tasks {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

enum class Phase : uint8_t { kRuns, kEnded };

struct InterestTest : testing::Test {
  Interest Claim(seconds retain) {
    Interest interest;
    interest.retain = retain;
    Answered(interest, now);
    return interest;
  }
  bool Lives(const Interest& interest, Duration later, Phase run = Phase::kEnded) const {
    return Judge(interest, run == Phase::kEnded, now + later) == Verdict::kLives;
  }
  const Instant now{1h};
};

TEST_F(InterestTest, AResultThatNobodyOpenedWaitsForTheClaimWindow) {
  for (const seconds retain : {0s, 1s, 60s}) {
    Interest interest = Claim(retain);
    EXPECT_TRUE(Lives(interest, 29s, Phase::kRuns));
    EXPECT_FALSE(Lives(interest, 30s, Phase::kRuns));
    RunEnded(interest, Ending::kResult, now + 10s);
    EXPECT_TRUE(Lives(interest, 39s));
    EXPECT_FALSE(Lives(interest, 40s));
  }
}

TEST_F(InterestTest, AnOpenedResultIsKeptForRetainAfterItsEnd) {
  for (const seconds retain : {1s, 60s}) {
    Interest interest = Claim(retain);
    Opened(interest);
    RunEnded(interest, Ending::kResult, now + 5s);
    EXPECT_TRUE(Lives(interest, 1h)) << "a reader is open";
    Closed(interest, true, now + 7s);
    EXPECT_TRUE(Lives(interest, 7s + retain - 1ms));
    EXPECT_FALSE(Lives(interest, 7s + retain));
    Renewed(interest, true, now + 8s);
    EXPECT_FALSE(Lives(interest, 8s + retain));
  }
}

TEST_F(InterestTest, AReaderThatLeavesARunningRunHasTheClaimWindowThenRetain) {
  Interest interest = Claim(1s);
  Opened(interest);
  Closed(interest, false, now + 5s);
  EXPECT_TRUE(Lives(interest, 34s, Phase::kRuns));
  RunEnded(interest, Ending::kResult, now + 6s);
  EXPECT_FALSE(Lives(interest, 7s));
}

TEST_F(InterestTest, AnErrorIsToldForRetain) {
  Interest interest = Claim(1s);
  RunEnded(interest, Ending::kError, now + 2s);
  EXPECT_TRUE(Lives(interest, 2999ms));
  EXPECT_FALSE(Lives(interest, 3s));
}

TEST_F(InterestTest, ACallThatWaitsHearsTheErrorAndHoldsItForRetain) {
  Interest interest;
  interest.retain = 1s;
  interest.waits = true;
  EXPECT_TRUE(Lives(interest, 1h, Phase::kRuns));
  RunEnded(interest, Ending::kError, now);
  EXPECT_TRUE(Lives(interest, 999ms));
  EXPECT_FALSE(Lives(interest, 1s));
}

TEST_F(InterestTest, RetainOfNothingIsGoneWithItsReaderAndItsErrorIsStillTold) {
  Interest interest = Claim(0s);
  Opened(interest);
  Closed(interest, false, now + 1s);
  EXPECT_FALSE(Lives(interest, 1s, Phase::kRuns));
  Interest failed = Claim(0s);
  RunEnded(failed, Ending::kError, now);
  EXPECT_TRUE(Lives(failed, 29s));
}

TEST_F(InterestTest, ASinkKeepsItsInterestUntilTheRunEnds) {
  Interest interest = Claim(1s);
  interest.keeps = true;
  EXPECT_TRUE(Lives(interest, 1h, Phase::kRuns));
  RunEnded(interest, Ending::kResult, now + 1h);
  EXPECT_FALSE(Lives(interest, 1h + 30s));
}

}  // namespace
}  // namespace sheaf::tasks
