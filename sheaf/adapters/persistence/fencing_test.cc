// PLAN  two coordinators in two processes take turns: the one that writes is stopped anywhere, also
// in
//       the middle of a transaction, the other takes over, the first goes on · what was
//       acknowledged before is found, nothing that was written after is there, and the first says
//       that it lost
#include <iostream>
#include <random>

#include "sheaf/adapters/persistence/coordinator_test.h"
#include "sheaf/adapters/persistence/postgres_test.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace sheaf::persistence {
namespace {

constexpr auto kLong = std::chrono::seconds(60);

class FencingTest : public testing::Test {
 protected:
  // `patience`: how long the second may need to begin while the first one stands.
  void TakeTurns(const std::string& where, std::chrono::milliseconds patience) {
    patience_ = patience;
    const uint64_t seed = testkit::Seed();
    SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
    random_.seed(seed);
    auto opened = OpenDatabase(where).value();
    Coordinator one(where, "one"), two(where, "two");
    Coordinator* writes = &one;
    Coordinator* waits = &two;
    writes->Go();
    auto began = Await(*writes, "began");
    const int rounds = testkit::Soak() ? 500 : 16;
    for (int round = 0; round < rounds; ++round) {
      ASSERT_NO_FATAL_FAILURE(TakeOver(*writes, *waits, began));
      std::swap(writes, waits);
    }
    EXPECT_GT(inside_, 0);
    writes->Stop();
    CompareHistory(*opened.parts.history);
    std::cout << (where.starts_with("sqlite:") ? "sqlite: " : "postgres: ") << rounds
              << " turns of two processes, stopped " << inside_
              << " times in the middle of a transaction: " << acknowledged_
              << " writes acknowledged, " << unanswered_ << " done without an answer, " << held_
              << " times the one that stood held the database\n";
  }

 protected:
  int inside_ = 0, unanswered_ = 0, held_ = 0;

 private:
  // The first line of this word; those between are its writes.
  Said Await(Coordinator& of, std::string_view word, int64_t* writes = nullptr) {
    while (true) {
      const auto said = of.Listen(kLong);
      EXPECT_TRUE(said.has_value()) << "nothing heard, waiting for " << word;
      if (!said.has_value()) return {};
      if (said->word == word) return *said;
      EXPECT_TRUE(said->word == "wrote" || said->word == "inside") << said->word;
      if (writes != nullptr && said->word == "wrote") *writes = said->one;
    }
  }

  void TakeOver(Coordinator& writes, Coordinator& waits, Said& began) {
    int64_t acknowledged = 0;
    for (auto lines = 1 + random_() % 12; lines > 0; --lines) {
      acknowledged = Await(writes, "wrote").one;
    }
    // In the middle of a write, or anywhere.
    if (random_() % 2 == 0) {
      Await(writes, "inside", &acknowledged);
      ++inside_;
    } else {
      (void)Event().WaitFor(std::chrono::microseconds(random_() % 12'000));
    }
    writes.Stop();
    waits.Go();
    auto next = waits.Listen(patience_);
    if (!next.has_value()) {
      // It stood in a transaction, and nobody but it can end that: SQLite.
      ++held_;
      writes.Continue();
      next = waits.Listen(kLong);
    }
    ASSERT_TRUE(next.has_value());
    ASSERT_EQ(next->word, "began");
    // Something of the new term is there before the old one goes on.
    EXPECT_EQ(Await(waits, "wrote").epoch, next->epoch);
    writes.Continue();
    const Said lost = Await(writes, "lost", &acknowledged);
    EXPECT_EQ(lost.epoch, began.epoch);
    EXPECT_GT(next->epoch, began.epoch);
    EXPECT_EQ(next->one, began.epoch);
    EXPECT_GE(next->two, acknowledged);
    // One write may have been done and not been answered.
    EXPECT_LE(next->two, acknowledged + 1);
    unanswered_ += next->two == acknowledged ? 0 : 1;
    acknowledged_ += acknowledged;
    terms_[began.epoch] = next->two;
    began = *next;
  }

  // Of every term that is over, history has what the next one found, and nothing else.
  void CompareHistory(WorkHistory& history) {
    for (const auto& [epoch, writes] : terms_) {
      EXPECT_TRUE(history.Get(WorkType::kJob, epoch * kJobsATerm + writes).ok());
      for (int64_t more = 1; more <= 3; ++more) {
        const auto late = history.Get(WorkType::kJob, epoch * kJobsATerm + writes + more);
        EXPECT_EQ(KindOf(late), Kind::kNotFound) << "written by a term that was over";
      }
    }
  }

  std::chrono::milliseconds patience_{0};
  std::mt19937_64 random_;
  std::map<int64_t, int64_t> terms_;  // Writes by epoch.
  int64_t acknowledged_ = 0;
};

TEST_F(FencingTest, OfTwoProcessesOnSqliteTheOneThatWasStoppedIsFenced) {
  testkit::TemporaryDirectory directory;
  TakeTurns("sqlite:" + directory.path() + "/sheaf.db", std::chrono::milliseconds(300));
}

TEST_F(FencingTest, OfTwoProcessesOnPostgresTheOneThatWasStoppedIsFenced) {
  SHEAF_NEEDS_POSTGRES();
  // The server ends the transaction of who stands still: nobody needs to go on for that.
  TakeTurns(testkit::Postgres::Shared().FreshUrl(), kLong);
  EXPECT_EQ(held_, 0);
}

}  // namespace
}  // namespace sheaf::persistence
