// PLAN  writers, readers, droppers and listers at once · a reader sees one generation whole · what
//       was acknowledged is there · partitions written at once · many commits share syncs
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "sheaf/ports/store/contract/contract.h"
#include "testkit/batches.h"
#include "testkit/seed.h"

namespace sheaf::store::contract {
namespace {

// Rows of one flight are first, first + 1, …: whoever reads can tell a torn or mixed one.
void ExpectWhole(const std::vector<int64_t>& rows) {
  ASSERT_FALSE(rows.empty());
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i], rows[0] + static_cast<int64_t>(i));
  }
}

TEST_P(StoreContract, ReadersAndWritersOfTheSamePathsSeeWholeGenerations) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  constexpr int kPaths = 3;
  const int rounds = testkit::Soak() ? 2000 : 60;
  std::atomic<bool> writing{true};
  std::mutex mutex;
  std::map<int, std::pair<uint64_t, int64_t>> last;  // Per path: greatest generation, first row.
  const auto write = [&](int thread) {
    std::mt19937_64 random(seed + static_cast<uint64_t>(thread));
    for (int round = 0; round < rounds; ++round) {
      const int path = static_cast<int>(random() % kPaths);
      const Tier tier = random() % 2 == 0 ? Tier::kMemory : Tier::kDisk;
      const auto first = static_cast<int64_t>(random() % 1'000'000);
      const RecordPtr record = Keep(P({"c", std::to_string(path)}), first,
                                    1 + static_cast<int64_t>(random() % 2000), tier);
      if (record == nullptr) return;
      std::lock_guard lock(mutex);
      // Commits are in order of the index, not of generations; the last one committed counts.
      last[path] = {record->generation, first};
    }
  };
  const auto read = [&] {
    while (writing.load()) {
      for (const Found& found : store().List(P({"c"}), Path(), 10)) {
        ExpectWhole(Read(*found.flight));
        EXPECT_EQ(found.flight->size().rows, found.record->rows);
      }
    }
  };
  std::vector<std::thread> writers, readers;
  for (int i = 0; i < 3; ++i) writers.emplace_back(write, i);
  for (int i = 0; i < 2; ++i) readers.emplace_back(read);
  for (auto& thread : writers) thread.join();
  writing = false;
  for (auto& thread : readers) thread.join();
  for (const Found& found : store().List(P({"c"}), Path(), 10)) ExpectWhole(Read(*found.flight));
  EXPECT_EQ(store().List(P({"c"}), Path(), 10).size(), last.size());
  EXPECT_EQ(store().usage().open_writers, 0);
}

TEST_P(StoreContract, FollowersOfAFlightBeingWrittenReadItWhole) {
  Open({.memory_budget = GetParam().spills ? 2_MiB : 0_B});
  auto writer = Writer(Tier::kMemory, 2);
  std::vector<std::thread> followers;
  std::atomic<int64_t> rows{0};
  for (int i = 0; i < 4; ++i) {
    followers.emplace_back([&, i] {
      auto flight = writer->flight();
      const auto read = Read(*flight, static_cast<uint32_t>(i % 2));
      rows += static_cast<int64_t>(read.size());
      EXPECT_EQ(read, Range((i % 2) * 1'000'000, 10'000));
    });
  }
  std::vector<std::thread> writers;
  for (uint32_t partition = 0; partition < 2; ++partition) {
    writers.emplace_back([&, partition] {
      for (int64_t first = 0; first < 10'000; first += 100) {
        const auto batch = testkit::Numbers(partition * 1'000'000 + first, 100, 500);
        const Status written = Try([&] { return writer->Write(partition, batch); });
        EXPECT_TRUE(written.ok()) << written.error().message;
      }
    });
  }
  for (auto& thread : writers) thread.join();
  ASSERT_TRUE(CommitAll(*writer, {}).ok());
  for (auto& thread : followers) thread.join();
  EXPECT_EQ(rows.load(), 40'000);
}

TEST_P(StoreContract, CommitsOfManyThreadsAreAllThere) {
  const auto keep = [&](int thread) {
    for (int i = 0; i < 20; ++i) {
      Keep(P({"many", std::to_string(thread), std::to_string(i)}), thread * 1000 + i, 3);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(keep, i);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store().usage().flights, 160);
  world_->Reopen();
  if (!GetParam().disk_survives_reopen) return;
  for (int thread = 0; thread < 8; ++thread) {
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(ReadPath(P({"many", std::to_string(thread), std::to_string(i)})),
                Range(thread * 1000 + i, 3));
    }
  }
}

TEST_P(StoreContract, OnlyOneOfManyCreatesAPath) {
  std::atomic<int> created{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto writer = Writer(Tier::kDisk);
      Write(*writer, testkit::Numbers(i, 1));
      Sink sink = To(P({"one"}));
      sink.if_generation = 0;
      auto committed = CommitAll(*writer, {{sink, {}}});
      ASSERT_TRUE(committed.ok());
      ++(committed->front().ok() ? created : refused);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(created.load(), 1);
  EXPECT_EQ(refused.load(), 7);
}

}  // namespace
}  // namespace sheaf::store::contract
