// PLAN  nothing there: nothing restored · what was live is restored, whole or change by change ·
//       nothing is checkpointed before a restore · a cold start destroys nothing · work leaves what
//       is live in the transaction that saves it · each scope has its own · many changes are one
//       state · of two coordinators with pauses each sees all of the one before
#include <atomic>
#include <map>
#include <optional>
#include <thread>

#include "sheaf/ports/persistence/contract/persistence_contract.h"

namespace sheaf::persistence {

Restored CheckpointContract::Restore(const Epoch& epoch, RestoreMode mode) {
  auto restored = Sure([&] { return history().Restore(epoch, mode); });
  EXPECT_TRUE(restored.ok()) << restored.error().message;
  return restored.ok() ? *restored : Restored{};
}

Status CheckpointContract::Change(const Epoch& epoch, const ChangeSet& change) {
  return Sure([&] { return history().Change(epoch, change); });
}

namespace {

LiveWork Some() { return {{{1, "one"}, {2, "\"two\"\n"}}, {{"p1", 1}, {"p2", 2}}}; }

TEST_P(CheckpointContract, NothingThereIsRestoredAsNothing) {
  const Restored restored = Restore(Acquire("node/n"));
  EXPECT_EQ(restored.live, LiveWork{});
  EXPECT_EQ(restored.generation, 0u);
  EXPECT_TRUE(restored.set_aside.empty());
}

TEST_P(CheckpointContract, WhatWasLiveIsRestored) {
  const Epoch epoch = Started();
  ASSERT_TRUE(Sure([&] { return history().Checkpoint(epoch, Some()); }).ok());
  if (!keeps()) return;
  EXPECT_EQ(Restore(Acquire("node/n")).live, Some());
}

TEST_P(CheckpointContract, ChangesAddUp) {
  const Epoch epoch = Started();
  ASSERT_TRUE(Change(epoch, {{{1, "a"}, {3, "c"}}, {}, {{"p", 1}}, {}}).ok());
  ASSERT_TRUE(Sure([&] { return history().Checkpoint(epoch, Some()); }).ok());
  ASSERT_TRUE(Change(epoch, {{{4, "four"}}, {1}, {{"p4", 4}}, {"p1"}}).ok());
  ASSERT_TRUE(Change(epoch, {{{4, "4"}}, {99}, {}, {"none"}}).ok());
  ASSERT_TRUE(Change(epoch, {}).ok());
  if (!keeps()) return;
  const LiveWork want{{{2, "\"two\"\n"}, {4, "4"}}, {{"p2", 2}, {"p4", 4}}};
  EXPECT_EQ(Restore(Acquire("node/n")).live, want);
  if (!survives_reopen()) return;
  Reopen();
  EXPECT_EQ(Restore(Acquire("node/n")).live, want);
}

TEST_P(CheckpointContract, NothingIsCheckpointedBeforeARestore) {
  if (!keeps()) return;
  const Epoch first = Started();
  ASSERT_TRUE(Sure([&] { return history().Checkpoint(first, Some()); }).ok());
  const Epoch epoch = Acquire("node/n");
  EXPECT_EQ(KindOf(Sure([&] { return history().Checkpoint(epoch, {}); })), Kind::kNotReady);
  EXPECT_EQ(KindOf(Change(epoch, {{}, {1}, {}, {}})), Kind::kNotReady);
  EXPECT_EQ(KindOf(Sure([&] { return history().Finish(epoch, MakeJob(1), {}); })), Kind::kNotReady);
  const std::vector<Work> works = {MakeJob(2)};
  EXPECT_TRUE(Sure([&] { return history().Save(epoch, works); }).ok());  // History may.
  EXPECT_EQ(Restore(epoch).live, Some());
  EXPECT_TRUE(Change(epoch, {{}, {1}, {}, {}}).ok());
}

TEST_P(CheckpointContract, AColdStartBeginsWithNothingAndDestroysNothing) {
  if (!keeps()) return;
  const Epoch first = Started();
  ASSERT_TRUE(Sure([&] { return history().Checkpoint(first, Some()); }).ok());
  EXPECT_EQ(Restore(Acquire("node/n"), RestoreMode::kCold).live, LiveWork{});
  // The operator thinks again before anything was written: all is still there.
  EXPECT_EQ(Restore(Acquire("node/n")).live, Some());
  const Epoch cold = Started("n", RestoreMode::kCold);
  ASSERT_TRUE(Change(cold, {{{7, "seven"}}}).ok());
  EXPECT_EQ(Restore(Acquire("node/n")).live, (LiveWork{{{7, "seven"}}, {}}));
}

TEST_P(CheckpointContract, WorkLeavesWhatIsLiveWhenItIsSaved) {
  const Epoch epoch = Started();
  ASSERT_TRUE(Sure([&] { return history().Checkpoint(epoch, Some()); }).ok());
  const ChangeSet leaving{{}, {1}, {}, {"p1"}};
  const auto finish = [&] { return history().Finish(epoch, MakeJob(1), leaving); };
  const auto saved = Sure(finish);
  ASSERT_TRUE(saved.ok()) << saved.error().message;
  if (!keeps()) return;
  if (plain()) {
    EXPECT_EQ(*saved, Saved::kNew);
  }
  EXPECT_EQ(*Sure(finish), Saved::kAlready);
  EXPECT_EQ(Sure([&] { return history().Get(WorkType::kJob, 1); }).value(), MakeJob(1));
  // A conflict in history leaves the live item where it is.
  const ChangeSet two{{}, {2}, {}, {"p2"}};
  EXPECT_EQ(KindOf(Sure([&] { return history().Finish(epoch, MakeJob(1, "x"), two); })),
            Kind::kConflict);
  EXPECT_EQ(Restore(Acquire("node/n")).live, (LiveWork{{{2, "\"two\"\n"}}, {{"p2", 2}}}));
}

TEST_P(CheckpointContract, EachScopeHasItsOwn) {
  const Epoch one = Started("one"), two = Started("two");
  ASSERT_TRUE(Sure([&] { return history().Checkpoint(one, Some()); }).ok());
  ASSERT_TRUE(Change(two, {{{9, "nine"}}}).ok());
  if (!keeps()) return;
  EXPECT_EQ(Restore(Acquire("node/one")).live, Some());
  EXPECT_EQ(Restore(Acquire("node/two")).live, (LiveWork{{{9, "nine"}}, {}}));
}

TEST_P(CheckpointContract, ManyChangesAndGenerationsAreOneState) {
  LiveWork want;
  Epoch epoch = Started();
  for (int round = 0; round < 5; ++round) {
    for (int64_t i = 0; i < 60; ++i) {
      ChangeSet change;
      change.put.emplace_back(i, std::to_string(round * 100 + i));
      if (i % 3 == 0) change.removed.push_back(i - 1);
      change.linked.emplace_back("p" + std::to_string(i % 7), i);
      ASSERT_TRUE(Change(epoch, change).ok());
      ApplyChange(change, want);
    }
    if (!keeps()) return;
    if (round == 2) {
      ASSERT_TRUE(Sure([&] { return history().Checkpoint(epoch, want); }).ok());
    }
    if (round == 3 && survives_reopen()) Reopen();
    epoch = Acquire("node/n");
    EXPECT_EQ(Restore(epoch).live, want) << "round " << round;
  }
}

TEST_P(CheckpointContract, TextThatIsNotUtf8IsRefused) {
  const Epoch epoch = Started();
  EXPECT_EQ(KindOf(Change(epoch, {{{1, "\xFF"}}})), Kind::kInvalid);
  EXPECT_EQ(KindOf(Sure([&] {
              return history().Checkpoint(epoch, {{}, {{"\xFF", 1}}});
            })),
            Kind::kInvalid);
}

// What was acknowledged under each epoch, and what its successor found.
class Terms {
 public:
  void Acknowledged(uint64_t epoch, int64_t count) {
    std::lock_guard lock(mutex_);
    Term& term = terms_[epoch];
    term.acknowledged = count;
    if (term.found.has_value() && count > *term.found) ++broken_;  // Written after its end.
  }
  void Found(uint64_t epoch, int64_t count) {
    std::lock_guard lock(mutex_);
    Term& term = terms_[epoch];
    if (term.acknowledged > count) ++broken_;  // Acknowledged, and not there.
    if (term.found.value_or(count) != count) ++broken_;
    term.found = count;
  }
  // What one who was fenced waits for: that the other wrote, or is done.
  void AwaitWrites(int count) {
    const int until = writes_ + count;
    while (writes_ < until && !one_is_done_) std::this_thread::yield();
  }
  void Written() { ++writes_; }
  void Leave() { one_is_done_ = true; }
  void Broken() {
    std::lock_guard lock(mutex_);
    ++broken_;
  }
  int broken() const { return broken_; }
  size_t size() const { return terms_.size(); }

 private:
  struct Term {
    int64_t acknowledged = 0;
    std::optional<int64_t> found;
  };
  std::atomic<int> writes_{0};
  std::atomic<bool> one_is_done_{false};
  std::mutex mutex_;
  std::map<uint64_t, Term> terms_;
  int broken_ = 0;
};

// A coordinator acquires, restores, and writes its epoch and how often it wrote, until it is
// fenced; then again.
void Coordinate(Fencing& fencing, WorkHistory& history, uint64_t seed, Terms& terms) {
  std::mt19937_64 random(seed);
  const auto fenced = [&](const Error& error) {
    if (!IsOwnershipLost(error)) terms.Broken();
    terms.AwaitWrites(1 + static_cast<int>(random() % 4));
  };
  for (int term = 0; term < 40; ++term) {
    const Epoch epoch = fencing.Acquire("node/n", "coordinator").value();
    const auto restored = history.Restore(epoch, RestoreMode::kWarm);
    if (!restored.ok()) {
      fenced(restored.error());
      continue;
    }
    const auto& items = restored->live.items;
    if (items.contains(1)) terms.Found(std::stoull(items.at(1)), std::stoll(items.at(2)));
    const auto writes = 1 + static_cast<int64_t>(random() % 8);
    for (int64_t count = 1; count <= writes; ++count) {
      const Status done = history.Change(
          epoch, {{{1, std::to_string(epoch.number)}, {2, std::to_string(count)}}, {}, {}, {}});
      if (!done.ok()) {
        fenced(done.error());
        break;
      }
      terms.Acknowledged(epoch.number, count);
      terms.Written();
      for (uint64_t pause = random() % 50; pause > 0; --pause) std::this_thread::yield();
    }
  }
  terms.Leave();
}

TEST_P(CheckpointContract, TwoCoordinatorsNeverInterleave) {
  if (!keeps() || !OnlyPlain()) return;
  Terms terms;
  std::thread other([&] { Coordinate(fencing(), history(), seed_, terms); });
  Coordinate(fencing(), history(), seed_ + 1, terms);
  other.join();
  EXPECT_EQ(terms.broken(), 0);
  EXPECT_GE(terms.size(), 2u);
}

}  // namespace
}  // namespace sheaf::persistence
