// PLAN  slots go by priority, then age · a raised place overtakes · waiting ages upward
//       · a full queue and a spent budget refuse with a hint · leaving frees and grants
//       · a thousand random steps never exceed the slots and lose nobody (seeded)
#include "sheaf/host/admission/admission.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sheaf::admission {
namespace {

using namespace std::chrono_literals;

struct AdmissionTest : testing::Test {
  ManualClock clock;
  observe::MemoryMetrics metrics;
  std::shared_ptr<Account> account = Account::Root("all", 1000_B);
  std::vector<int> granted;
  Admission admission{{.running_max = 1, .queue_max = 2}, clock, metrics, account};

  Result<Admission::Place> Enter(int priority, int name) {
    return admission.Enter(priority, [this, name] { granted.push_back(name); });
  }
};

TEST_F(AdmissionTest, SlotsGoByPriorityThenAge) {
  auto first = Enter(5, 1);
  ASSERT_TRUE(Enter(5, 2).ok());
  ASSERT_TRUE(Enter(9, 3).ok());
  ASSERT_TRUE(Enter(5, 4).ok());
  EXPECT_EQ(granted, std::vector<int>{1});
  admission.Leave(*first);
  EXPECT_EQ(granted, (std::vector<int>{1, 3}));
}

TEST_F(AdmissionTest, ARaisedPlaceOvertakes) {
  auto first = Enter(5, 1);
  ASSERT_TRUE(Enter(5, 2).ok());
  auto third = Enter(1, 3);
  admission.Raise(*third, 9);
  admission.Leave(*first);
  EXPECT_EQ(granted, (std::vector<int>{1, 3}));
}

TEST_F(AdmissionTest, WaitingAgesUpward) {
  auto first = Enter(5, 1);
  ASSERT_TRUE(Enter(3, 2).ok());
  clock.Advance(16s);
  ASSERT_TRUE(Enter(5, 3).ok());
  admission.Leave(*first);
  EXPECT_EQ(granted, (std::vector<int>{1, 2}));
}

TEST_F(AdmissionTest, AFullQueueRefusesWithAHint) {
  ASSERT_TRUE(Enter(5, 1).ok());
  ASSERT_TRUE(Enter(5, 2).ok());
  ASSERT_TRUE(Enter(5, 3).ok());
  auto refused = Enter(5, 4);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kBackpressure);
  EXPECT_NE(refused.error().details.find("after_ms"), std::string::npos);
  EXPECT_TRUE(Enter(6, 5).ok()) << "another priority has its own queue";
}

TEST_F(AdmissionTest, ASpentByteBudgetRefuses) {
  account->Charge(1001_B);
  EXPECT_EQ(Enter(5, 1).error().kind, Kind::kBackpressure);
  account->Release(1001_B);
  EXPECT_TRUE(Enter(5, 1).ok());
}

TEST_F(AdmissionTest, WhoLeavesTheQueueIsNeverGranted) {
  auto first = Enter(5, 1);
  auto second = Enter(5, 2);
  admission.Leave(*second);
  admission.Leave(*first);
  EXPECT_EQ(granted, std::vector<int>{1});
}

TEST_F(AdmissionTest, AClosedDoorLetsNobodyIn) {
  admission.Close();
  EXPECT_EQ(Enter(5, 1).error().kind, Kind::kShuttingDown);
}

TEST(SlotQueueTest, RandomStepsNeverExceedTheSlotsAndLoseNobody) {
  const char* given = std::getenv("SHEAF_SEED");
  const uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  SlotQueue queue({.running_max = 3, .queue_max = 20});
  std::set<SlotQueue::Place> inside, running;
  Instant now{};
  for (int step = 0; step < 1000; ++step) {
    now += 100ms;
    if (random() % 2 == 0) {
      if (auto place = queue.Enter(static_cast<int>(random() % kPriorities), now)) {
        inside.insert(*place);
      }
    } else if (!inside.empty()) {
      auto gone = std::next(inside.begin(), static_cast<long>(random() % inside.size()));
      queue.Leave(*gone);
      running.erase(*gone);
      inside.erase(gone);
    }
    for (const auto place : queue.Grant(now)) {
      ASSERT_TRUE(inside.contains(place));
      ASSERT_TRUE(running.insert(place).second) << "granted twice";
    }
    ASSERT_LE(running.size(), 3u);
    ASSERT_EQ(queue.running(), running.size());
    ASSERT_EQ(queue.running() + queue.waiting(), inside.size());
    ASSERT_TRUE(queue.waiting() == 0 || queue.running() == 3);
  }
}

}  // namespace
}  // namespace sheaf::admission
