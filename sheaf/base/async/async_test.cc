// PLAN  a cancel reaches every registration once, with the first reason · a dead registration
//       is not called · an executor refuses above its queue, runs what is queued at stop
//       · a strand keeps order · timers call in order of instants, a cancelled one never
//       · a gate waits for those inside and lets nobody in after
#include "sheaf/base/async/async.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace sheaf::async {
namespace {

using namespace std::chrono_literals;

TEST(CancelTest, ReachesEveryRegistrationOnceWithTheFirstReason) {
  CancelSource source;
  int calls = 0;
  auto first = source.token().OnCancel([&] { ++calls; });
  auto second = source.token().OnCancel([&] { ++calls; });
  EXPECT_TRUE(source.token().Check().ok());
  EXPECT_TRUE(source.Cancel(Fail(Kind::kDeadline, "late")));
  EXPECT_FALSE(source.Cancel());
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(source.token().Check().error().kind, Kind::kDeadline);
}

TEST(CancelTest, ADeadRegistrationIsNotCalledAndALateOneIsCalledAtOnce) {
  CancelSource source;
  int calls = 0;
  {
    auto gone = source.token().OnCancel([&] { ++calls; });
  }
  source.Cancel();
  EXPECT_EQ(calls, 0);
  auto late = source.token().OnCancel([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(CancelTest, RegistrationsAndCancelRaceWithoutLoss) {
  for (int round = 0; round < 200; ++round) {
    CancelSource source;
    std::atomic<int> calls{0};
    std::thread canceller([&] { source.Cancel(); });
    auto registration = source.token().OnCancel([&] { ++calls; });
    canceller.join();
    ASSERT_EQ(calls, 1);
  }
}

TEST(CancelTest, TheDefaultTokenIsNeverCancelled) {
  CancelToken token;
  EXPECT_FALSE(token.cancelled());
  EXPECT_TRUE(token.Check().ok());
}

TEST(ExecutorTest, RefusesAboveItsQueueAndRunsWhatIsQueuedAtStop) {
  std::atomic<int> done{0};
  Event hold, started;
  Executor executor({.name = "test", .threads_max = 1, .queue_max = 2});
  ASSERT_TRUE(executor.TryPost([&] {
    started.Set();
    hold.Wait();
    ++done;
  }));
  started.Wait();
  EXPECT_TRUE(executor.TryPost([&] { ++done; }));
  EXPECT_TRUE(executor.TryPost([&] { ++done; }));
  EXPECT_FALSE(executor.TryPost([&] { ++done; }));
  hold.Set();
  executor.Stop();
  EXPECT_EQ(done, 3);
  EXPECT_FALSE(executor.TryPost([] {}));
}

TEST(ExecutorTest, StartsThreadsAsTheyAreNeeded) {
  Executor executor({.name = "test", .threads_max = 3});
  Event hold;
  std::atomic<int> inside{0};
  Event all;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(executor.TryPost([&] {
      if (++inside == 3) all.Set();
      hold.Wait();
    }));
  }
  EXPECT_TRUE(all.WaitFor(10s));
  hold.Set();
}

TEST(StrandTest, KeepsOrderOverManyThreads) {
  std::vector<int> seen;
  {
    Executor executor({.name = "test", .threads_max = 4});
    auto strand = Strand::Make(executor);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(strand->TryPost([&, i] { seen.push_back(i); }));
  }
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(TimersTest, CallsInOrderOfInstantsAndNeverACancelledOne) {
  ManualClock clock;
  std::vector<int> seen;
  Event last;
  Timers timers(clock);
  timers.After(20ms, [&] {
    seen.push_back(20);
    last.Set();
  });
  timers.After(10ms, [&] { seen.push_back(10); });
  const auto cancelled = timers.After(15ms, [&] { seen.push_back(15); });
  EXPECT_TRUE(timers.Cancel(cancelled));
  EXPECT_EQ(timers.pending(), 2u);
  clock.Advance(30ms);
  ASSERT_TRUE(last.WaitFor(10s));
  EXPECT_EQ(seen, (std::vector<int>{10, 20}));
  EXPECT_FALSE(timers.Cancel(cancelled));
}

TEST(TimersTest, WorksOnTheMachinesClock) {
  time::SystemClock clock;
  Timers timers(clock);
  Event called;
  timers.After(1ms, [&] { called.Set(); });
  EXPECT_TRUE(called.WaitFor(10s));
}

TEST(GateTest, WaitsForThoseInsideAndLetsNobodyInAfter) {
  Gate gate;
  std::atomic<bool> left{false};
  auto pass = gate.Enter();
  std::thread closer([&] {
    gate.Close();
    EXPECT_TRUE(left);
  });
  left = true;
  pass = Gate::Pass();
  closer.join();
  EXPECT_FALSE(gate.Enter());
}

TEST(EventTest, CallsEachOnceAndLateOnesAtOnce) {
  Event event;
  int calls = 0;
  event.Then([&] { ++calls; });
  event.Set();
  event.Set();
  event.Then([&] { ++calls; });
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace sheaf::async
