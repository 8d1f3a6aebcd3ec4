// PLAN  the contract, alone and behind faults · watchers are bounded · a watcher may step itself
#include "sheaf/adapters/query_state/memory_query_state.h"

#include <gtest/gtest.h>

#include "sheaf/ports/query_state/contract/query_state_contract.h"

namespace sheaf::query_state {
namespace {

std::unique_ptr<QueryState> Open(Clock& clock, const ContractSetup& setup) {
  return MakeMemoryQueryState(clock, {.records_max = setup.records_max,
                                      .completed_for = setup.completed_for,
                                      .failed_for = setup.failed_for,
                                      .queued_grace = setup.queued_grace});
}

INSTANTIATE_TEST_SUITE_P(
    Memory, QueryStateContract,
    testing::Values(Backend{
        .name = "memory", .open = Open, .survives_reopen = false, .shared = false}));
INSTANTIATE_TEST_SUITE_P(FaultyMemory, QueryStateContract,
                         testing::Values(Backend{.name = "faulty memory",
                                                 .open = Open,
                                                 .survives_reopen = false,
                                                 .shared = false,
                                                 .faults_in_ten = 4}));

TEST(MemoryQueryStateTest, WatchersAreBounded) {
  ManualClock clock;
  auto store = MakeMemoryQueryState(clock, {.watchers_max = 2});
  int called = 0;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(store->Watch("k", State::kKnown, [&](const Record&) { ++called; }).ok());
  }
  EXPECT_EQ(store->Watch("k", State::kKnown, nullptr).error().kind, Kind::kExhausted);
  EXPECT_TRUE(store->Apply({.key = "k", .owner = "a"}).ok());
  EXPECT_EQ(called, 2);
  EXPECT_TRUE(store->Watch("other", State::kKnown, [](const Record&) {}).ok());
}

TEST(MemoryQueryStateTest, AWatcherMayStepTheSameKey) {
  ManualClock clock;
  auto store = MakeMemoryQueryState(clock);
  ASSERT_TRUE(store
                  ->Watch("k", State::kKnown,
                          [&](const Record& record) {
                            ASSERT_TRUE(store
                                            ->Apply({.key = "k",
                                                     .trigger = Trigger::kExecute,
                                                     .owner = "a",
                                                     .epoch = record.epoch})
                                            .ok());
                          })
                  .ok());
  ASSERT_TRUE(store->Apply({.key = "k", .owner = "a"}).ok());
  EXPECT_EQ(store->Get("k")->state, State::kExecuting);
}

TEST(MemoryQueryStateTest, LeasesDoNotEndWhenTheWallClockIsSet) {
  ManualClock clock;
  auto store = MakeMemoryQueryState(clock);
  auto queued = store->Apply({.key = "k", .owner = "a"});
  ASSERT_TRUE(store
                  ->Apply({.key = "k",
                           .trigger = Trigger::kExecute,
                           .owner = "a",
                           .epoch = queued->record.epoch})
                  .ok());
  clock.StepWall(std::chrono::hours(24));
  EXPECT_TRUE(store->Reap()->empty());
  EXPECT_EQ(store->Get("k")->state, State::kExecuting);
}

}  // namespace
}  // namespace sheaf::query_state
