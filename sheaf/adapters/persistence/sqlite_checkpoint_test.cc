// PLAN  damage of any part of a checkpoint: the longest valid prefix, the rest named, never a
//       silent empty, nothing overwritten, and what comes after is kept · compaction keeps the
//       state and the newest generations · one change among 100,000 items is a few pages and one
//       sync, restoring them is quick · orckpt is readable as one row · two processes
#include <chrono>
#include <ctime>

#include "sheaf/adapters/persistence/sqlite_test.h"

namespace sheaf::persistence {
namespace {

class SqliteCheckpointTest : public SqlitePersistenceTest {
 protected:
  // A base of items 1 and 2, then changes that put 3, 4 and 5.
  void Fill() {
    Open();
    const Epoch epoch = Started();
    ASSERT_TRUE(history().Checkpoint(epoch, {{{1, "1"}, {2, "2"}}, {{"p", 1}}}).ok());
    for (int64_t i = 3; i <= 5; ++i) ASSERT_TRUE(Put(epoch, i).ok());
  }
  size_t Items() {
    const auto restored = history().Restore(Acquire(), RestoreMode::kWarm);
    EXPECT_TRUE(restored.ok()) << restored.error().message;
    return restored.ok() ? restored->live.items.size() : 0;
  }
};

TEST_F(SqliteCheckpointTest, EveryFlippedByteOfAChangeGivesThePrefixAndNamesTheRest) {
  Fill();
  auto behind = Behind();
  const int64_t size =
      Number(*behind, Sql("select length(body) from sheaf_change order by number limit 1"));
  ASSERT_GT(size, 20);
  for (int64_t at = 1; at <= size; ++at) {
    testkit::TemporaryDirectory copy;
    const std::string other = copy.path() + "/copy.db";
    ASSERT_TRUE(behind->Run("vacuum into ?", {std::string_view(other)}).ok());
    {
      // The second of three changes.
      auto damaged = sqlite::Database::Open({.path = other}).value();
      ASSERT_TRUE(damaged
                      ->Run("update sheaf_change set body = cast(substr(body, 1, ?1 - 1) || "
                            "x'7f' || substr(body, ?1 + 1) as blob) where number = "
                            "(select min(number) + 1 from sheaf_change)",
                            {at})
                      .ok());
    }
    auto opened = OpenSqlite({.path = other}).value();
    const Epoch epoch = opened.parts.fencing->Acquire("node/n", "again").value();
    const auto restored = opened.parts.history->Restore(epoch, RestoreMode::kWarm);
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    EXPECT_EQ(restored->live, (LiveWork{{{1, "1"}, {2, "2"}, {3, "3"}}, {{"p", 1}}})) << at;
    EXPECT_EQ(restored->set_aside.size(), 2u);
  }
}

TEST_F(SqliteCheckpointTest, WhatComesAfterDamageIsKept) {
  Fill();
  ASSERT_TRUE(Behind()
                  ->Run("update sheaf_change set checksum = 0 where number = "
                        "(select max(number) from sheaf_change)")
                  .ok());
  const Epoch epoch = Acquire();
  const auto restored = history().Restore(epoch, RestoreMode::kWarm).value();
  EXPECT_EQ(restored.live.items.size(), 4u);
  EXPECT_EQ(restored.changes, 2u);
  ASSERT_EQ(restored.set_aside.size(), 1u);
  ASSERT_TRUE(Put(epoch, 9).ok());
  const auto again = history().Restore(Acquire(), RestoreMode::kWarm).value();
  EXPECT_EQ(again.live.items.size(), 5u);
  EXPECT_TRUE(again.live.items.contains(9));
  EXPECT_TRUE(again.set_aside.empty());
}

TEST_F(SqliteCheckpointTest, AMissingChangeEndsThePrefix) {
  Fill();
  ASSERT_TRUE(Behind()
                  ->Run("delete from sheaf_change where number = "
                        "(select min(number) + 1 from sheaf_change)")
                  .ok());
  const auto restored = history().Restore(Acquire(), RestoreMode::kWarm).value();
  EXPECT_EQ(restored.live.items.size(), 3u);
  EXPECT_EQ(restored.set_aside.size(), 1u);
}

TEST_F(SqliteCheckpointTest, ADamagedBaseGivesTheGenerationBefore) {
  Open();
  const Epoch epoch = Started();
  ASSERT_TRUE(history().Checkpoint(epoch, {{{1, "1"}}, {}}).ok());
  ASSERT_TRUE(Put(epoch, 2).ok());
  ASSERT_TRUE(history().Checkpoint(epoch, {{{1, "1"}, {2, "2"}}, {}}).ok());
  ASSERT_TRUE(Put(epoch, 3).ok());
  ASSERT_TRUE(Behind()->Run("update orckpt set work = x'00' where id = 0").ok());
  const auto restored = history().Restore(Acquire(), RestoreMode::kWarm).value();
  EXPECT_EQ(restored.live, (LiveWork{{{1, "1"}, {2, "2"}}, {}}));
  EXPECT_EQ(restored.generation, 1u);
  EXPECT_FALSE(restored.set_aside.empty());
}

TEST_F(SqliteCheckpointTest, NothingReadableIsAnErrorAndOverwritesNothing) {
  Fill();
  ASSERT_TRUE(Behind()->Run("update orckpt set p2jmap = x'00'").ok());
  const Epoch epoch = Acquire();
  EXPECT_EQ(KindOf(history().Restore(epoch, RestoreMode::kWarm)), Kind::kCorrupt);
  EXPECT_EQ(KindOf(history().Checkpoint(epoch, {})), Kind::kNotReady);
  EXPECT_EQ(KindOf(Put(epoch, 9)), Kind::kNotReady);
  auto behind = Behind();
  EXPECT_EQ(Number(*behind, Sql("select count(*) from sheaf_change")), 3);
  ASSERT_TRUE(history().Restore(epoch, RestoreMode::kCold).ok());
  ASSERT_TRUE(Put(epoch, 9).ok());
  EXPECT_EQ(Items(), 1u);
  // What was damaged is still there to be looked at.
  EXPECT_GE(Number(*behind, Sql("select count(*) from sheaf_generation")), 2);
}

TEST_F(SqliteCheckpointTest, CompactionKeepsTheStateAndTheNewestGenerations) {
  Open({.generations_kept = 3, .chain_bytes_max = 2000});
  const Epoch epoch = Started();
  LiveWork want;
  for (int64_t i = 0; i < 300; ++i) {
    const ChangeSet change{{{i % 40, std::to_string(i)}}, {(i + 7) % 40}, {}, {}};
    ASSERT_TRUE(history().Change(epoch, change).ok());
    ApplyChange(change, want);
  }
  const auto restored = history().Restore(Acquire(), RestoreMode::kWarm).value();
  EXPECT_EQ(restored.live, want);
  EXPECT_TRUE(restored.set_aside.empty());
  EXPECT_GT(restored.generation, 5u);
  EXPECT_LT(restored.changes, 40u);
  auto behind = Behind();
  EXPECT_EQ(Number(*behind, Sql("select count(*) from sheaf_generation")), 3);
  EXPECT_EQ(Number(*behind, Sql("select count(*) from orckpt")), 3);
  EXPECT_EQ(Number(*behind, Sql("select count(*) from orckpt where id = 0")), 1);
}

TEST_F(SqliteCheckpointTest, CompactionInTheBackgroundLosesNoChangeMadeMeanwhile) {
  Executor background({.name = "compact", .threads_max = 1});
  opened_ = OpenSqlite({.path = path_,
                        .checkpoint = {.generations_kept = 2, .chain_bytes_max = 500},
                        .background = &background})
                .value();
  const Epoch epoch = Started();
  LiveWork want;
  for (int64_t i = 0; i < 400; ++i) {
    const ChangeSet change{{{i, std::to_string(i)}}, {i - 20}, {}, {}};
    ASSERT_TRUE(history().Change(epoch, change).ok());
    ApplyChange(change, want);
  }
  background.Stop();
  EXPECT_EQ(history().Restore(Acquire(), RestoreMode::kWarm)->live, want);
}

LiveWork Many(int64_t items) {
  LiveWork live;
  for (int64_t i = 0; i < items; ++i) {
    live.items[i] = R"({"user":"somebody","state":"Running","processes":)" + std::to_string(i) +
                    R"(,"files":["a/b/c","d/e/f"]})";
    if (i % 4 == 0) live.process_to_job["process-" + std::to_string(i)] = i;
  }
  return live;
}

TEST_F(SqliteCheckpointTest, OneChangeAmongAHundredThousandItemsIsAFewPagesAndOneSync) {
  OpenOnDisk();
  const Epoch epoch = Started();
  ASSERT_TRUE(history().Checkpoint(epoch, Many(100'000)).ok());
  ASSERT_TRUE(Put(epoch, 1).ok());
  int more = 0;
  uint64_t most = 0;
  for (int64_t i = 0; i < 100; ++i) {
    const uint64_t syncs = disk_->syncs(), bytes = disk_->bytes_written();
    ASSERT_TRUE(history().Change(epoch, {{{i * 997, "changed"}}, {}, {}, {}}).ok());
    const uint64_t wrote = disk_->bytes_written() - bytes;
    // Now and then SQLite moves its log into the file.
    if (disk_->syncs() - syncs != 1 || wrote >= 64 * 1024) {
      ++more;
    } else {
      most = std::max(most, wrote);
    }
  }
  EXPECT_LE(more, 1);
  std::cout << "one change among 100,000 items: at most " << most << " bytes and one sync\n";
}

TEST_F(SqliteCheckpointTest, AHundredThousandItemsAreRestoredInTwoSeconds) {
  Open();
  const LiveWork live = Many(100'000);
  ASSERT_TRUE(history().Checkpoint(Started(), live).ok());
  opened_ = {};
  Open();
  const Epoch epoch = Acquire();
  const std::clock_t start = std::clock();  // Of this process: others do not count.
  const auto restored = history().Restore(epoch, RestoreMode::kWarm).value();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(restored.live, live);
  EXPECT_LT(seconds, 2.0);
  std::cout << "restore of 100,000 items: " << seconds << " s\n";
}

TEST_F(SqliteCheckpointTest, OfTwoProcessesTheOneThatWasPausedIsFenced) {
  Open();
  SqlPersistence other = TryOpen().value();
  for (int64_t round = 0; round < 20; ++round) {
    const Epoch paused = Started();
    ASSERT_TRUE(Put(paused, round * 2).ok());
    const Epoch present = other.parts.fencing->Acquire("node/n", "other").value();
    const auto restored = other.parts.history->Restore(present, RestoreMode::kWarm).value();
    EXPECT_EQ(restored.live.items.size(), static_cast<size_t>(round * 2 + 1));
    ASSERT_TRUE(other.parts.history->Change(present, {{{round * 2 + 1, "x"}}, {}, {}, {}}).ok());
    EXPECT_TRUE(LostOwnership(Put(paused, 999)));  // It goes on where it stood.
    EXPECT_TRUE(LostOwnership(history().Checkpoint(paused, {})));
  }
  EXPECT_EQ(Items(), 40u);
}

}  // namespace
}  // namespace sheaf::persistence
