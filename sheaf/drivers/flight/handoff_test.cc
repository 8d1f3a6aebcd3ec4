// PLAN  a call alone is answered where it came in · one that meets another is handed over, and so
//       are those after it, up to the burst's end · everything handed over is run before the end

#include "sheaf/drivers/flight/handoff.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "sheaf/base/time/time.h"

namespace sheaf::flight {
namespace {

// On which thread an answer ran.
std::thread::id Answered(Handoff& handoff) {
  std::promise<std::thread::id> ran;
  handoff.Run([&ran] { ran.set_value(std::this_thread::get_id()); });
  return ran.get_future().get();
}

TEST(HandoffTest, ACallAloneIsAnsweredWhereItCameIn) {
  Handoff handoff(2);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Answered(handoff), std::this_thread::get_id());
}

TEST(HandoffTest, CallsThatMeetAreHandedOverUntilTheBurstIsOver) {
  Handoff handoff(1);
  handoff.Run([&] { EXPECT_NE(Answered(handoff), std::this_thread::get_id()); });
  int over = 0;
  const time::SystemClock clock;
  const auto deadline = Deadline::After(clock, std::chrono::seconds(30));
  while (Answered(handoff) != std::this_thread::get_id()) {
    ++over;
    ASSERT_GT(deadline.Left(clock.Now()), Duration(0)) << "after " << over << " calls";
  }
  // One may meet the one before, whose thread has not counted it as gone yet: a burst anew.
  EXPECT_GE(over, Handoff::kBurst - 1);
}

TEST(HandoffTest, WhatWasHandedOverIsRunBeforeTheEnd) {
  std::atomic<int> ran{0};
  {
    Handoff handoff(2);
    handoff.Run([&] {
      for (int i = 0; i < 100; ++i) handoff.Run([&ran] { ran.fetch_add(1); });
    });
  }
  EXPECT_EQ(ran.load(), 100);
}

}  // namespace
}  // namespace sheaf::flight
