// PLAN  nothing goes within the budgets · the order of kinds · least recently used first · no more
//       than needed · uploads, pinned, open and written flights never go but may be spilled · a
//       spill needs room on the disk, or makes it · random stores keep all of it (simulation)
#include "sheaf/adapters/store/eviction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "testkit/seed.h"

namespace sheaf::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using What = EvictionAction::What;
constexpr Bytes kUnlimited{INT64_MIN / 4};

Instant At(int64_t nanos) { return Instant(Duration(nanos)); }

EvictionItem Memory(uint64_t generation, int64_t used) {
  return {.generation = generation, .last_used = At(used), .memory = 10_B, .may_spill = true};
}
EvictionItem Sunk(uint64_t generation, int64_t used) {
  return {.generation = generation, .last_used = At(used), .disk = 10_B, .named = true};
}

TEST(EvictionTest, NothingGoesWithinTheBudgets) {
  EXPECT_THAT(DecideEviction({{}, {}, {Memory(1, 0), Sunk(2, 0)}}), IsEmpty());
  EXPECT_THAT(DecideEviction({{-5}, kUnlimited, {Memory(1, 0), Sunk(2, 0)}}), IsEmpty());
}

TEST(EvictionTest, KindsGoInOrderWhateverTheirAge) {
  EvictionItem sunk = Memory(1, 1);
  sunk.named = true;
  sunk.may_spill = false;
  EvictionItem spillable = Memory(2, 2);
  EvictionItem read = Memory(3, 3);
  read.read_to_end = true;
  read.handles = 1;
  EvictionItem former = Memory(4, 4);
  former.former = true;
  const auto decide = [&](Bytes excess) {
    return DecideEviction({excess, kUnlimited, {sunk, spillable, read, former}});
  };
  EXPECT_THAT(decide(10_B), ElementsAre(EvictionAction{What::kForget, 4}));
  EXPECT_THAT(decide(20_B), ElementsAre(EvictionAction{What::kForget, 4},
                                        EvictionAction{What::kDiscard, 3}));
  EXPECT_THAT(decide(21_B),
              ElementsAre(EvictionAction{What::kForget, 4}, EvictionAction{What::kDiscard, 3},
                          EvictionAction{What::kSpill, 2}));
  EXPECT_THAT(decide(31_B),
              ElementsAre(EvictionAction{What::kForget, 4}, EvictionAction{What::kDiscard, 3},
                          EvictionAction{What::kEvict, 1}, EvictionAction{What::kSpill, 2}));
}

TEST(EvictionTest, LeastRecentlyUsedGoesFirstAndNoMoreThanNeeded) {
  EXPECT_THAT(DecideEviction({{}, 15_B, {Sunk(1, 30), Sunk(2, 10), Sunk(3, 20)}}),
              ElementsAre(EvictionAction{What::kEvict, 2}, EvictionAction{What::kEvict, 3}));
}

TEST(EvictionTest, UploadsPinnedOpenAndWrittenFlightsNeverGo) {
  std::vector<EvictionItem> items(4, Sunk(0, 0));
  for (uint64_t i = 0; i < 4; ++i) items[i].generation = i + 1;
  items[0].upload = true;
  items[1].pinned = true;
  items[2].handles = 1;
  items[3].writing = true;
  for (EvictionItem& item : items) item.memory = 10_B;
  EXPECT_THAT(DecideEviction({100_B, 100_B, items}), IsEmpty());
  for (EvictionItem& item : items) item.may_spill = true;
  EXPECT_EQ(DecideEviction({100_B, kUnlimited, items}).size(), 4u);  // But they may be spilled.
}

TEST(EvictionTest, OpenFormerGenerationAndUnreadResultStay) {
  EvictionItem former = Memory(1, 0);
  former.former = true;
  former.handles = 1;
  former.may_spill = false;
  EvictionItem unread = Memory(2, 0);
  unread.may_spill = false;
  EvictionItem reading = unread;
  reading.generation = 3;
  reading.read_to_end = true;
  reading.readers = 1;
  EXPECT_THAT(DecideEviction({100_B, 100_B, {former, unread, reading}}), IsEmpty());
}

TEST(EvictionTest, SpillNeedsRoomOnTheDiskOrMakesIt) {
  EvictionItem upload = Memory(1, 0);
  upload.named = upload.upload = true;
  EXPECT_THAT(DecideEviction({10_B, {-9}, {upload}}), IsEmpty());
  EXPECT_THAT(DecideEviction({10_B, {-10}, {upload}}),
              ElementsAre(EvictionAction{What::kSpill, 1}));
  EXPECT_THAT(DecideEviction({10_B, {-1}, {upload, Sunk(2, 0)}}),
              ElementsAre(EvictionAction{What::kEvict, 2}, EvictionAction{What::kSpill, 1}));
}

// A store of random flights, under random pressure, judged by what the contract says.
class Simulation {
 public:
  explicit Simulation(uint64_t seed) : random_(seed) {}

  EvictionFacts Facts() {
    EvictionFacts facts;
    const int count = Draw(0, 40);
    for (int i = 0; i < count; ++i) {
      EvictionItem item;
      item.generation = static_cast<uint64_t>(i + 1);
      item.last_used = At(Draw(0, 20));
      item.memory = {Draw(0, 2) == 0 ? 0 : Draw(1, 100)};
      item.disk = {Draw(0, 2) == 0 ? 0 : Draw(1, 100)};
      item.named = Coin();
      item.former = !item.named && Coin();
      item.upload = item.named && Coin();
      item.pinned = item.named && Draw(0, 3) == 0;
      item.writing = !item.named && !item.former && Coin();
      item.read_to_end = Coin();
      item.may_spill = Coin();
      item.handles = Draw(0, 2) == 0 ? 1 : 0;
      item.readers = item.handles > 0 && Coin() ? 1 : 0;
      facts.items.push_back(item);
    }
    facts.memory_excess = {Draw(-100, 500)};
    facts.disk_excess = Coin() ? kUnlimited : Bytes{Draw(-500, 500)};
    return facts;
  }

 private:
  int Draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Coin() { return Draw(0, 1) == 1; }
  std::mt19937_64 random_;
};

bool MayGo(const EvictionItem& item) {
  if (item.writing || item.pinned || item.upload) return false;
  if (item.named || item.former) return item.handles == 0;
  return item.read_to_end && item.readers == 0;
}

// What is left to free after the actions; checks each of them on the way.
void Judge(const EvictionFacts& facts) {
  std::map<uint64_t, EvictionItem> items;
  for (const EvictionItem& item : facts.items) items[item.generation] = item;
  Bytes memory = facts.memory_excess, disk = facts.disk_excess;
  std::set<uint64_t> touched;
  bool spilled = false;
  for (const EvictionAction& action : DecideEviction(facts)) {
    ASSERT_TRUE(touched.insert(action.generation).second) << "twice " << action.generation;
    const EvictionItem& item = items.at(action.generation);
    ASSERT_FALSE(spilled && action.what != What::kSpill) << "room comes before spills";
    if (action.what == What::kSpill) {
      spilled = true;
      ASSERT_TRUE(item.may_spill);
      memory -= item.memory;
      disk += item.memory;
      items.at(action.generation).memory = {};
      items.at(action.generation).disk += item.memory;
      continue;
    }
    ASSERT_TRUE(MayGo(item)) << "generation " << item.generation << " may not go";
    memory -= item.memory;
    disk -= item.disk;
    items.erase(action.generation);
  }
  if (spilled && facts.disk_excess.count <= 0) {
    ASSERT_LE(disk.count, 0) << "spilled into no room";
  }
  for (const auto& [generation, item] : items) {
    if (!MayGo(item)) continue;
    ASSERT_FALSE(memory.count > 0 && item.memory.count > 0) << "kept " << generation;
    ASSERT_FALSE(disk.count > 0 && item.disk.count > 0 && !touched.contains(generation))
        << "kept " << generation;
  }
}

TEST(EvictionTest, RandomStoresKeepTheContract) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  Simulation simulation(seed);
  const int rounds = testkit::Soak() ? 1'000'000 : 20'000;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Judge(simulation.Facts());
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sheaf::store
