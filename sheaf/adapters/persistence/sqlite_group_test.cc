// PLAN  writers that wait at once share a sync, and each gets its own answer · one that fails
//       undoes only its own · reads go on while somebody writes
#include <atomic>
#include <thread>

#include "sheaf/adapters/persistence/sqlite_test.h"

namespace sheaf::persistence {
namespace {

using SqliteGroupTest = SqlitePersistenceTest;

TEST_F(SqliteGroupTest, WritersThatWaitAtOnceShareASyncAndEachGetsItsAnswer) {
  OpenOnDisk();
  const Epoch epoch = Started();
  constexpr int kWriters = 16, kEach = 20;
  const uint64_t before = disk_->syncs();
  // The first write holds the others up until all of them wait.
  std::atomic<int> begun{0};
  std::vector<std::thread> writers;
  std::atomic<int> saved{0}, refused{0};
  std::thread first([&] {
    const Status done = opened_.store->Write([&](SqlSession&) {
      while (begun < kWriters) std::this_thread::yield();
      return Done();
    });
    EXPECT_TRUE(done.ok());
  });
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      ++begun;
      for (int64_t i = 0; i < kEach; ++i) {
        const std::vector<Work> works = {MakeJob(i * kWriters + w)};
        saved += history().Save(epoch, works).ok() ? 1 : 0;
        Work other = works[0];
        other.detail = "another";
        const std::vector<Work> conflict = {MakeJob(100'000 + i * kWriters + w), other};
        refused += history().Save(epoch, conflict).ok() ? 0 : 1;
      }
    });
  }
  first.join();
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(saved, kWriters * kEach);
  EXPECT_EQ(refused, kWriters * kEach);
  EXPECT_EQ(history().Newest(WorkType::kJob, 10'000)->size(),
            static_cast<size_t>(kWriters * kEach));
  const uint64_t syncs = disk_->syncs() - before;
  EXPECT_LT(syncs, static_cast<uint64_t>(kWriters * kEach));
  std::cout << kWriters * kEach << " saves of " << kWriters << " writers: " << syncs << " syncs\n";
}

TEST_F(SqliteGroupTest, ReadsGoOnWhileSomebodyWrites) {
  Open();
  const Epoch epoch = Started();
  const std::vector<Work> works = {MakeJob(1)};
  ASSERT_TRUE(history().Save(epoch, works).ok());
  const Status done = opened_.store->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(SaveWork(session, MakeJob(2)));
    EXPECT_EQ(history().Newest(WorkType::kJob, 9)->size(), 1u);  // From inside the transaction.
    return Done();
  });
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(history().Newest(WorkType::kJob, 9)->size(), 2u);
}

}  // namespace
}  // namespace sheaf::persistence
