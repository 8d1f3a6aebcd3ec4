// PLAN  an operation outstanding for the limit is idle, once · one that ended in time is not
//       · nothing outstanding is never idle · after Stop nothing is called
#include "sheaf/drivers/grpc/idle.h"

#include <gtest/gtest.h>

#include <chrono>

namespace sheaf::grpc {
namespace {

using namespace std::chrono_literals;

class IdleTest : public ::testing::Test {
 protected:
  // Lets the timers' thread see the new time.
  void Advance(Duration step) {
    clock_.Advance(step);
    Event seen;
    timers_.At(clock_.Now(), [&] { seen.Set(); });
    seen.Wait();
  }
  ManualClock clock_;
  Timers timers_{clock_};
  std::atomic<int> idle_{0};
  IdleWatch watch_{timers_, 10s, [this] { ++idle_; }};
};

TEST_F(IdleTest, OutstandingForTheLimitIsIdleOnce) {
  watch_.Started();
  Advance(9s);
  EXPECT_EQ(idle_, 0);
  Advance(1s);
  EXPECT_EQ(idle_, 1);
  watch_.Started();
  Advance(60s);
  EXPECT_EQ(idle_, 1);
}

TEST_F(IdleTest, EachOperationHasTheWholeLimit) {
  for (int i = 0; i < 10; ++i) {
    watch_.Started();
    Advance(8s);
    watch_.Ended();
    Advance(1s);
  }
  EXPECT_EQ(idle_, 0);
  EXPECT_EQ(timers_.pending(), 1);
  watch_.Started();
  Advance(9s);
  EXPECT_EQ(idle_, 0);
  Advance(1s);
  EXPECT_EQ(idle_, 1);
}

TEST_F(IdleTest, NothingOutstandingIsNeverIdle) {
  watch_.Started();
  watch_.Ended();
  Advance(600s);
  EXPECT_EQ(idle_, 0);
}

TEST_F(IdleTest, AfterStopNothingIsCalled) {
  watch_.Started();
  watch_.Stop();
  EXPECT_EQ(timers_.pending(), 0);
  Advance(600s);
  watch_.Started();
  Advance(600s);
  EXPECT_EQ(idle_, 0);
}

TEST_F(IdleTest, StopRacesWithTheTimer) {
  for (int round = 0; round < 500; ++round) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    IdleWatch watch(timers_, 1ms, [&alive] { ++*alive; });
    watch.Started();
    std::thread advance([&] { clock_.Advance(1ms); });
    watch.Stop();
    alive.reset();  // The timer's function would be a use after free from here on.
    advance.join();
  }
}

}  // namespace
}  // namespace sheaf::grpc
