// PLAN  a manual clock moves only when told · its wall may step back, its instants never
//       · watchers hear of jumps until they leave · deadlines pass, combine and saturate
//       · wall times print as RFC 3339
#include "sheaf/base/time/time.h"

#include <gtest/gtest.h>

namespace sheaf::time {
namespace {

using namespace std::chrono_literals;

TEST(ManualClockTest, MovesOnlyWhenTold) {
  ManualClock clock;
  const Instant before = clock.Now();
  clock.Advance(11ms);
  EXPECT_EQ(clock.Now() - before, 11ms);
}

TEST(ManualClockTest, TheWallMayStepBackWhileInstantsStay) {
  ManualClock clock(WallTime{5'000'000});
  const Instant before = clock.Now();
  clock.StepWall(-2s);
  EXPECT_EQ(clock.Wall().micros, 3'000'000);
  EXPECT_EQ(clock.Now(), before);
}

TEST(ManualClockTest, WatchersHearOfJumpsUntilTheyLeave) {
  ManualClock clock;
  int heard = 0;
  clock.Watch(&heard, [&] { ++heard; });
  clock.Advance(1ms);
  clock.Unwatch(&heard);
  clock.Advance(1ms);
  EXPECT_EQ(heard, 1);
}

TEST(DeadlineTest, PassesAtItsInstantAndNeverMeansNever) {
  ManualClock clock;
  const Deadline deadline = Deadline::After(clock, 5ms);
  EXPECT_FALSE(deadline.Passed(clock.Now()));
  clock.Advance(5ms);
  EXPECT_TRUE(deadline.Passed(clock.Now()));
  EXPECT_FALSE(Deadline::Never().Passed(clock.Now()));
  EXPECT_TRUE(Deadline::After(clock, Duration::max()).never());
}

TEST(DeadlineTest, TheEarlierOfTwoWins) {
  ManualClock clock;
  const Deadline soon = Deadline::After(clock, 1ms), late = Deadline::After(clock, 9ms);
  EXPECT_EQ(late.Or(soon).at(), soon.at());
  EXPECT_EQ(Deadline::Never().Or(late).at(), late.at());
}

TEST(WallTimeTest, PrintsAsRfc3339) {
  EXPECT_EQ(ToText(WallTime{1'700'000'000'123'456}), "2023-11-14T22:13:20.123Z");
}

TEST(SystemClockTest, InstantsNeverGoBack) {
  SystemClock clock;
  Instant last = clock.Now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace sheaf::time
