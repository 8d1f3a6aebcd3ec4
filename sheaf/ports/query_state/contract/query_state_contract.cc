// PLAN  a key never seen is known · one trigger one step · one owner of many askers · old epochs
//       and foreign owners change nothing · a step made twice changes nothing · leases are renewed
//       and end · reaping moves and forgets · epochs never repeat · watchers are called once
//       · progress and errors are kept · a full store refuses · random walks agree with the model
#include "sheaf/ports/query_state/contract/query_state_contract.h"

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "sheaf/ports/query_state/contract/model.h"

namespace sheaf::query_state {

using namespace std::chrono_literals;

namespace {

uint64_t Seed() {
  const char* text = std::getenv("SHEAF_SEED");
  return text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Backend& backend) { return out << backend.name; }

void QueryStateContract::TearDownTestSuite() {
  const Backend& backend = GetParam();
  if (!backend.survives_reopen) std::cout << "deviation: forgets when it is closed\n";
  if (!backend.shared) std::cout << "deviation: one process only\n";
}

void QueryStateContract::Open(const ContractSetup& setup) {
  store_ = GetParam().open(clock_, setup);
  random_.seed(Seed());
  decorator_ = std::make_unique<FaultyQueryState>(*store_, [this] {
    std::lock_guard lock(random_mutex_);
    const int dice = static_cast<int>(random_() % 10);
    if (dice >= GetParam().faults_in_ten) return Fault::kNone;
    return random_() % 2 == 0 ? Fault::kRefuse : Fault::kApplyThenTimeout;
  });
  front_ = decorator_.get();
}

Status QueryStateContract::Retried(const std::function<Status()>& call) {
  while (true) {
    Status status = call();
    if (status.ok()) return status;
    const Kind kind = status.error().kind;
    if (kind != Kind::kDependency && kind != Kind::kDeadline) return status;
  }
}

Record QueryStateContract::Get(std::string_view key) {
  Record record;
  EXPECT_TRUE(Retried([&]() -> Status {
                SHEAF_ASSIGN(record, front_->Get(key));
                return Done();
              }).ok());
  return record;
}

Outcome QueryStateContract::Apply(Step step) {
  const Record before = Get(step.key);
  while (true) {
    auto outcome = front_->Apply(step);
    if (outcome.ok()) return *outcome;
    if (outcome.error().kind == Kind::kExhausted) {
      ADD_FAILURE() << outcome.error().message;
      return {};
    }
    if (outcome.error().effect == Effect::kNone) continue;
    const Record now = Get(step.key);  // The answer was lost: read first.
    const bool drew = step.trigger == Trigger::kQueue || step.trigger == Trigger::kReset;
    return {now, !(now == before) && (!drew || now.owner == step.owner)};
  }
}

Outcome QueryStateContract::Apply(std::string_view key, Trigger trigger, std::string_view owner,
                                  uint64_t epoch) {
  return Apply(Step{
      .key = std::string(key), .trigger = trigger, .owner = std::string(owner), .epoch = epoch});
}

bool QueryStateContract::Renew(std::string_view key, std::string_view owner, uint64_t epoch) {
  bool renewed = false;
  EXPECT_TRUE(Retried([&]() -> Status {
                SHEAF_ASSIGN(renewed, front_->Renew(key, owner, epoch, 15s));
                return Done();
              }).ok());
  return renewed;
}

void QueryStateContract::Watch(std::string_view key, State seen, std::function<void(Record)> call) {
  // A watch whose answer was lost may stand: only once may it count.
  auto once = std::make_shared<std::atomic<bool>>(false);
  EXPECT_TRUE(Retried([&] {
                return front_->Watch(key, seen, [once, call](Record record) {
                  if (!once->exchange(true)) call(std::move(record));
                });
              }).ok());
}

void QueryStateContract::Reap() {
  EXPECT_TRUE(Retried([&]() -> Status {
                SHEAF_TRY(front_->Reap());
                return Done();
              }).ok());
}

Record QueryStateContract::Bring(std::string_view key, State state, std::string_view owner) {
  Record record = Get(key);
  const auto go = [&](Trigger trigger) {
    record = Apply(key, trigger, owner, record.epoch).record;
  };
  if (state != State::kKnown) go(Trigger::kQueue);
  if (state == State::kCancelled) go(Trigger::kCancel);
  if (state == State::kExecuting || state == State::kCompleted || state == State::kErrored ||
      state == State::kResetting || state == State::kResetFailed) {
    go(Trigger::kExecute);
  }
  if (state == State::kErrored) go(Trigger::kError);
  if (state == State::kCompleted || state == State::kResetting || state == State::kResetFailed) {
    go(Trigger::kFinish);
  }
  if (state == State::kResetting || state == State::kResetFailed) go(Trigger::kReset);
  if (state == State::kResetFailed) go(Trigger::kResetFailed);
  EXPECT_EQ(StateName(record.state), StateName(state));
  return record;
}

TEST_P(QueryStateContract, AKeyNeverSeenIsKnownWithEpochZero) { EXPECT_EQ(Get("k"), Record{}); }

TEST_P(QueryStateContract, ARunGoesFromKnownToCompletedAndBack) {
  const Outcome queued = Apply("k", Trigger::kQueue, "a");
  EXPECT_TRUE(queued.changed);
  const uint64_t epoch = queued.record.epoch;
  EXPECT_GT(epoch, 0u);
  clock_.Advance(1s);
  const Outcome executing = Apply("k", Trigger::kExecute, "a", epoch);
  EXPECT_TRUE(executing.changed);
  EXPECT_EQ(executing.record.started, clock_.Wall());
  EXPECT_TRUE(Apply("k", Trigger::kFinish, "a", epoch).changed);
  EXPECT_EQ(Get("k").state, State::kCompleted);
  EXPECT_TRUE(Apply("k", Trigger::kReset, "b").changed);
  EXPECT_TRUE(Apply("k", Trigger::kFinishResetting, "b", epoch).changed);
  EXPECT_EQ(Get("k"), Record{});
}

TEST_P(QueryStateContract, AStepThatTheMachineLacksAnswersTheRecordUnchanged) {
  for (int s = 0; s < 8; ++s) {
    const auto state = static_cast<State>(s);
    const std::string key = "k" + std::to_string(s);
    const Record record = Bring(key, state, "owner");
    for (int t = 0; t < 8; ++t) {
      const auto trigger = static_cast<Trigger>(t);
      if (Next(state, trigger).has_value()) continue;
      const Outcome outcome = Apply(key, trigger, "owner", record.epoch);
      EXPECT_FALSE(outcome.changed) << StateName(state) << " " << TriggerName(trigger);
      EXPECT_EQ(outcome.record, record);
    }
  }
}

TEST_P(QueryStateContract, OfManyAskersOneBecomesTheOwner) {
  constexpr int kAskers = 16;
  for (int round = 0; round < 20; ++round) {
    const std::string key = "k" + std::to_string(round);
    std::atomic<int> owners{0};
    std::vector<std::thread> askers;
    for (int i = 0; i < kAskers; ++i) {
      askers.emplace_back([&, i] {
        if (Apply(key, Trigger::kQueue, "asker" + std::to_string(i)).changed) ++owners;
      });
    }
    for (auto& asker : askers) asker.join();
    EXPECT_EQ(owners, 1);
  }
}

TEST_P(QueryStateContract, AnOldEpochOrAForeignOwnerChangesNothing) {
  const Record first = Bring("k", State::kExecuting, "a");
  clock_.Advance(16s);
  Reap();
  EXPECT_EQ(Get("k").state, State::kErrored);
  Apply("k", Trigger::kReset, "b");
  Apply("k", Trigger::kFinishResetting, "b", first.epoch);
  const Record second = Bring("k", State::kExecuting, "b");
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_FALSE(Apply("k", Trigger::kFinish, "a", first.epoch).changed);
  EXPECT_FALSE(Apply("k", Trigger::kFinish, "a", second.epoch).changed);
  EXPECT_FALSE(Apply("k", Trigger::kCancel, "a", first.epoch).changed);
  EXPECT_FALSE(Renew("k", "a", first.epoch));
  EXPECT_EQ(Get("k"), second);
}

TEST_P(QueryStateContract, TheSameHolderMayAskAgainAndKnowsItselfByTheRecord) {
  const Record record = Apply("k", Trigger::kQueue, "a").record;
  const Outcome again = Apply("k", Trigger::kQueue, "a");
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.record, record);
  EXPECT_TRUE(Apply("k", Trigger::kExecute, "a", again.record.epoch).changed);
}

TEST_P(QueryStateContract, ARenewedLeaseIsNotReaped) {
  const Record record = Bring("k", State::kExecuting, "a");
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(10s);
    EXPECT_TRUE(Renew("k", "a", record.epoch));
    Reap();
  }
  EXPECT_EQ(Get("k").state, State::kExecuting);
  EXPECT_EQ(Get("k").lease_until.micros, clock_.Wall().micros + 15'000'000);
}

TEST_P(QueryStateContract, AnEndedLeaseMakesAnErrorThatNamesItsOwner) {
  const Record record = Bring("k", State::kExecuting, "somebody");
  clock_.Advance(14s);
  Reap();
  EXPECT_EQ(Get("k").state, State::kExecuting);
  clock_.Advance(2s);
  Reap();
  const Record reaped = Get("k");
  EXPECT_EQ(reaped.state, State::kErrored);
  EXPECT_EQ(reaped.epoch, record.epoch);
  EXPECT_NE(reaped.error.find("somebody"), std::string::npos) << reaped.error;
  EXPECT_FALSE(Apply("k", Trigger::kFinish, "somebody", record.epoch).changed);
}

TEST_P(QueryStateContract, ReapNamesTheKeysItMoved) {
  Bring("dead", State::kExecuting, "a");
  clock_.Advance(10s);
  Bring("alive", State::kExecuting, "a");
  clock_.Advance(6s);
  const auto moved = store_->Reap();
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(*moved, std::vector<std::string>{"dead"});
}

TEST_P(QueryStateContract, AnAbandonedResetFailsAndAnAbandonedQueueIsCancelled) {
  Bring("reset", State::kResetting, "a");
  Bring("queue", State::kQueued, "a");
  clock_.Advance(16s);
  Reap();
  EXPECT_EQ(Get("reset").state, State::kResetFailed);
  EXPECT_EQ(Get("queue").state, State::kQueued);
  clock_.Advance(1min);
  Reap();
  EXPECT_EQ(Get("queue").state, State::kCancelled);
}

TEST_P(QueryStateContract, FinishedRecordsAreForgottenAfterTheirTime) {
  Bring("completed", State::kCompleted);
  Bring("errored", State::kErrored);
  Bring("cancelled", State::kCancelled);
  clock_.Advance(4min);
  Reap();
  EXPECT_EQ(Get("errored").state, State::kErrored);
  clock_.Advance(2min);
  Reap();
  EXPECT_EQ(Get("errored"), Record{});
  EXPECT_EQ(Get("cancelled"), Record{});
  EXPECT_EQ(Get("completed").state, State::kCompleted);
  clock_.Advance(5min);
  Reap();
  EXPECT_EQ(Get("completed"), Record{});
}

TEST_P(QueryStateContract, EpochsNeverRepeatEvenWhenTheRecordWasForgotten) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 5; ++i) {
    const Record record = Bring("k", State::kErrored, "a");
    EXPECT_TRUE(seen.insert(record.epoch).second) << record.epoch;
    clock_.Advance(10min);
    Reap();
    ASSERT_EQ(Get("k"), Record{});
  }
}

TEST_P(QueryStateContract, AWatcherIsCalledOnceAtTheNextChange) {
  const Record record = Bring("k", State::kQueued, "a");
  std::vector<State> seen;
  Watch("k", State::kQueued, [&](Record now) { seen.push_back(now.state); });
  EXPECT_TRUE(seen.empty());
  Renew("k", "a", record.epoch);
  EXPECT_TRUE(seen.empty());
  Apply("k", Trigger::kExecute, "a", record.epoch);
  Apply("k", Trigger::kFinish, "a", record.epoch);
  EXPECT_EQ(seen, std::vector<State>{State::kExecuting});
}

TEST_P(QueryStateContract, AWatcherThatIsLateIsCalledAtOnce) {
  Bring("k", State::kExecuting, "a");
  std::vector<State> seen;
  Watch("k", State::kQueued, [&](Record now) { seen.push_back(now.state); });
  EXPECT_EQ(seen, std::vector<State>{State::kExecuting});
}

TEST_P(QueryStateContract, WatchersHearReapingAndForgetting) {
  Bring("k", State::kExecuting, "a");
  std::vector<State> seen;
  Watch("k", State::kExecuting, [&](Record now) {
    seen.push_back(now.state);
    Watch("k", State::kErrored, [&](Record later) { seen.push_back(later.state); });
  });
  clock_.Advance(16s);
  Reap();
  clock_.Advance(10min);
  Reap();
  EXPECT_EQ(seen, (std::vector<State>{State::kErrored, State::kKnown}));
}

TEST_P(QueryStateContract, AKeyNeverSeenCanBeWatched) {
  std::vector<State> seen;
  Watch("k", State::kKnown, [&](Record now) { seen.push_back(now.state); });
  Apply("k", Trigger::kQueue, "a");
  EXPECT_EQ(seen, std::vector<State>{State::kQueued});
}

TEST_P(QueryStateContract, ProgressIsKeptForThePresentEpochOnly) {
  const Record record = Bring("k", State::kExecuting, "a");
  const Progress progress{.eligible = 5, .queued = 2, .running = 1};
  const auto set = [&](uint64_t epoch, Progress value) {
    return Retried([&] { return front_->SetProgress("k", epoch, value); });
  };
  EXPECT_TRUE(set(record.epoch, progress).ok());
  EXPECT_EQ(Get("k").progress, progress);
  EXPECT_TRUE(set(record.epoch + 1, {}).ok());
  EXPECT_EQ(Get("k").progress, progress);
}

TEST_P(QueryStateContract, AnErrorIsKeptWithTheRecord) {
  const Record record = Bring("k", State::kExecuting, "a");
  Step step{.key = "k", .trigger = Trigger::kError, .owner = "a", .epoch = record.epoch};
  step.error = "no such column: quantitty";
  EXPECT_TRUE(Apply(step).changed);
  EXPECT_EQ(Get("k").error, step.error);
}

TEST_P(QueryStateContract, AFullStoreRefusesNewKeysAndServesOldOnes) {
  Open({.records_max = 64});
  std::vector<std::string> in;
  Kind refused = Kind::kInternal;
  for (int i = 0; i < 1000 && refused != Kind::kExhausted; ++i) {
    const std::string key = "k" + std::to_string(i);
    auto outcome = store_->Apply({.key = key, .trigger = Trigger::kQueue, .owner = "a"});
    if (outcome.ok()) in.push_back(key);
    if (!outcome.ok()) refused = outcome.error().kind;
  }
  EXPECT_EQ(refused, Kind::kExhausted);
  EXPECT_EQ(in.size(), 64u);
  EXPECT_TRUE(Apply(in[0], Trigger::kCancel, "a", Get(in[0]).epoch).changed);
  clock_.Advance(10min);
  Reap();
  EXPECT_TRUE(Apply("another", Trigger::kQueue, "a").changed);
}

TEST_P(QueryStateContract, RandomWalksAgreeWithTheModel) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const int steps = std::getenv("SHEAF_SOAK") != nullptr ? 1'000'000 : 20'000;
  Model model;
  uint64_t last_epoch = 0;
  for (int i = 0; i < steps && !HasFailure(); ++i) {
    Step step;
    step.key = "k" + std::to_string(random() % 5);
    step.trigger = static_cast<Trigger>(random() % 8);
    step.owner = "o" + std::to_string(random() % 3);
    const auto known = model.Get(step.key);
    step.epoch = random() % 4 == 0 ? random() % (last_epoch + 2) : known.epoch;
    if (random() % 4 != 0 && !known.owner.empty()) step.owner = known.owner;
    const bool expected = model.WouldChange(step);
    const Outcome outcome = Apply(step);
    ASSERT_EQ(outcome.changed, expected) << i << " " << TriggerName(step.trigger);
    if (expected) model.Make(step, outcome.record.epoch);
    if (expected && step.trigger == Trigger::kQueue) {
      ASSERT_GT(outcome.record.epoch, last_epoch) << i;
      last_epoch = outcome.record.epoch;
    }
    const auto now = model.Get(step.key);
    ASSERT_EQ(StateName(outcome.record.state), StateName(now.state)) << i;
    ASSERT_EQ(outcome.record.owner, now.owner) << i;
    ASSERT_EQ(outcome.record.epoch, now.epoch) << i;
  }
}

TEST_P(QueryStateContract, RacingOwnersNeverOverlap) {
  // Every thread tries to own, run and reset one key; at most one may be inside.
  std::atomic<int> inside{0}, runs{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string me = "t" + std::to_string(t);
      for (int i = 0; i < 500; ++i) {
        const Outcome queued = Apply("k", Trigger::kQueue, me);
        if (!queued.changed) continue;
        const uint64_t epoch = queued.record.epoch;
        Apply("k", Trigger::kExecute, me, epoch);
        EXPECT_EQ(++inside, 1);
        ++runs;
        --inside;
        Apply("k", Trigger::kFinish, me, epoch);
        Apply("k", Trigger::kReset, me);
        Apply("k", Trigger::kFinishResetting, me, epoch);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GT(runs, 0);
}

}  // namespace sheaf::query_state
