// PLAN  what is written while the database is away is acknowledged, durable, and made in order when
//       it is back · reads say how long and how many wait · nobody acquires before all is made ·
//       whatever fault writes meet and wherever the power fails, what was acknowledged is there
//       once · stale writes are set aside and their writer learns it · a job's number that another
//       took is given up, once · one bad work of many is set aside alone · a full spool keeps ends
//       of work · attempts become rare · a healthy one is its inner back end
#include "sheaf/adapters/persistence/spooled_persistence.h"

#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <random>

#include "sheaf/adapters/persistence/memory_persistence.h"
#include "sheaf/adapters/persistence/replayer.h"
#include "sheaf/base/async/event.h"
#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/time/manual_clock.h"
#include "sheaf/ports/persistence/contract/persistence_contract.h"
#include "testkit/power_cut.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace sheaf::persistence {
namespace {

using namespace std::chrono_literals;

// A database that outlives those who use it, as memory; each opening is another way into it.
struct Database {
  // What a database refuses for good, whatever it is asked; before that, faults.
  struct Policy {
    Database& of;
    template <typename Act>
    auto Call(Verb verb, Act act) -> decltype(act()) {
      ++of.calls;
      if (Status refused = of.refuse(verb); !refused.ok()) return std::move(refused).error();
      return of.faults.Call(verb, act);
    }
  };
  Persistence kept = OpenMemory();
  std::function<Status(Verb)> refuse = [](Verb) { return Done(); };
  std::atomic<Fault> fault{Fault::kNone};
  std::atomic<int> calls{0};
  std::function<Fault(Verb)> next = [this](Verb) { return fault.load(); };
  Faults faults{[this](Verb verb) { return next(verb); }};
  Policy policy{*this};
  Persistence Connect() { return Decorate(kept, policy); }
};

class SpooledTest : public testing::Test {
 protected:
  Result<Persistence> TryOpen() {
    return OpenSpooled(database_.Connect(),
                       {.spool = {.directory = directory_.path() + "/spool",
                                  .where = "postgresql://h/d",
                                  .bytes_max = bytes_max_}},
                       {.clock = clock_, .log = log_, .metrics = metrics_, .chance = [] {
                          return 0.5;
                        }});
  }
  // Opens it and begins, as a node does.
  void Open() {
    parts_ = {};
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    parts_ = std::move(opened).value();
    node_ = parts_.fencing->Acquire("node/n", "one").value();
    ASSERT_TRUE(parts_.history->Restore(node_, RestoreMode::kWarm).ok());
  }
  Status Save(int64_t id) {
    const std::vector<Work> works = {MakeJob(id)};
    SHEAF_TRY(parts_.history->Save(node_, works));
    return Done();
  }
  Status Put(int64_t id) { return parts_.history->Change(node_, {{{id, "x"}}, {}, {}, {}}); }
  Standing Look() { return parts_.outage->Look(); }
  // Moves the clock until it holds; false when it never does.
  template <typename Check>
  bool Eventually(Check check) {
    const Event never;
    for (int i = 0; i < 2000; ++i) {
      if (check()) return true;
      clock_.Advance(100ms);
      (void)never.WaitFor(1ms);
    }
    return false;
  }
  bool Clears() {
    return Eventually([this] { return Look().state == Standing::State::kOk; });
  }
  std::vector<int64_t> Saved() {
    std::vector<int64_t> ids;
    const auto newest = database_.kept.history->Newest(WorkType::kJob, 1000).value();
    for (const Work& work : newest) ids.insert(ids.begin(), work.id);
    return ids;
  }

  testkit::TemporaryDirectory directory_;
  ManualClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  uint64_t bytes_max_ = 1 << 20;
  Database database_;
  Epoch node_;
  Persistence parts_;
};

TEST_F(SpooledTest, WhatIsWrittenWhileTheDatabaseIsAwayIsMadeWhenItIsBack) {
  for (const Fault fault : {Fault::kRefuse, Fault::kApplyThenTimeout, Fault::kConnectionLost}) {
    database_.kept = OpenMemory();
    Open();
    ASSERT_TRUE(Save(1).ok());
    EXPECT_EQ(Look().state, Standing::State::kOk);
    database_.fault = fault;
    ASSERT_TRUE(Save(2).ok());
    EXPECT_EQ(Look().state, Standing::State::kDegraded);
    EXPECT_FALSE(Look().error.empty());
    ASSERT_TRUE(Put(7).ok());
    ASSERT_TRUE(Put(8).ok());
    ASSERT_TRUE(parts_.history->Finish(node_, MakeJob(3), {{}, {7}, {}, {}}).ok());
    ASSERT_TRUE(parts_.resources->Begin(node_, {{MakeNode("n", 1)}, {}, {}}).ok());
    ASSERT_TRUE(parts_.resources->Begin(node_, {{MakeNode("n", 2)}, {}, {}}).ok());
    EXPECT_GE(Look().records, 4u);
    database_.fault = Fault::kNone;
    ASSERT_TRUE(Clears());
    EXPECT_EQ(Saved(), (std::vector<int64_t>{1, 2, 3}));
    EXPECT_EQ(database_.kept.resources->Machine("n")->Get<"share_order">(), 2);
    ASSERT_TRUE(Save(4).ok());
    EXPECT_EQ(Saved().size(), 4u);  // Past the spool.
    const Epoch next = parts_.fencing->Acquire("node/n", "two").value();
    const auto restored = parts_.history->Restore(next, RestoreMode::kWarm);
    EXPECT_EQ(restored->live.items, (std::map<int64_t, std::string>{{8, "x"}}));
    EXPECT_EQ(metrics_.Value("sheaf_persistence_spooled_records"), 0);
    EXPECT_EQ(metrics_.Value("sheaf_persistence_set_aside_total"), 0);
  }
  EXPECT_GT(metrics_.Value("sheaf_persistence_replayed_total"), 12);
}

TEST_F(SpooledTest, ReadsSayHowLongAndHowManyWait) {
  Open();
  ASSERT_TRUE(parts_.history->Newest(WorkType::kJob, 1).ok());
  database_.fault = Fault::kRefuse;
  for (int64_t id = 1; id <= 3; ++id) ASSERT_TRUE(Save(id).ok());
  clock_.Advance(12s);
  const auto read = parts_.history->Newest(WorkType::kJob, 1);
  EXPECT_EQ(KindOf(read), Kind::kDependency);
  const std::string said = read.error().message;
  EXPECT_NE(said.find("postgresql://h/d has been away for 12 s, 3 writes wait"), std::string::npos)
      << said;
  EXPECT_EQ(KindOf(parts_.fencing->Acquire("node/n", "two")), Kind::kDependency);
  EXPECT_EQ(KindOf(parts_.resources->SetLoad(node_, {})), Kind::kDependency);
  EXPECT_EQ(KindOf(parts_.history->Restore(node_, RestoreMode::kWarm)), Kind::kDependency);
  const std::vector<Work> wrong = {Work{.type = WorkType::kJob, .id = 4}};
  EXPECT_EQ(KindOf(parts_.history->Save(node_, wrong)), Kind::kInvalid);
  const int calls = database_.calls;
  EXPECT_FALSE(parts_.services->Live().ok());
  EXPECT_EQ(database_.calls, calls) << "nobody waits for what is known to be away";
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_TRUE(parts_.history->Newest(WorkType::kJob, 1).ok());
}

TEST_F(SpooledTest, TheNextStartMakesWhatWaitsBeforeAnybodyAcquires) {
  Open();
  database_.fault = Fault::kConnectionLost;
  for (int64_t id = 1; id <= 5; ++id) ASSERT_TRUE(Save(id).ok());
  ASSERT_TRUE(parts_.fencing->Release(node_).ok());
  parts_ = {};  // The process ends while the database is away.
  const auto opened = TryOpen();
  EXPECT_EQ(KindOf(opened), Kind::kDependency);
  EXPECT_NE(opened.error().message.find("6 writes of the last process wait"), std::string::npos);
  EXPECT_TRUE(Saved().empty());
  database_.fault = Fault::kNone;
  Open();
  EXPECT_EQ(Saved().size(), 5u);
  EXPECT_EQ(Look().set_aside, 0u);
  EXPECT_EQ(node_.number, 3u) << "one was acquired, released and acquired";
}

TEST_F(SpooledTest, StaleWritesAreSetAsideAndTheirWriterLearnsIt) {
  Open();
  database_.fault = Fault::kRefuse;
  for (int64_t id = 1; id <= 3; ++id) ASSERT_TRUE(Save(id).ok());
  EXPECT_TRUE(parts_.outage->StillOwns(node_).ok());
  ASSERT_TRUE(database_.kept.fencing->Acquire("node/n", "another").ok());
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_TRUE(Saved().empty());
  EXPECT_EQ(Look().set_aside, 3u);
  ASSERT_EQ(Look().kept.size(), 1u);
  EXPECT_EQ(metrics_.Value("sheaf_persistence_set_aside_total"), 3);
  EXPECT_TRUE(LostOwnership(parts_.outage->StillOwns(node_)));
  database_.fault = Fault::kRefuse;
  EXPECT_TRUE(IsOwnershipLost(Save(4).error())) << "it need not wait for the database";
  database_.fault = Fault::kNone;
  Open();
  EXPECT_EQ(Look().set_aside, 3u);
  EXPECT_TRUE(Save(5).ok());
}

TEST_F(SpooledTest, AJobWhoseNumberWasTakenGetsAnother) {
  Open();
  database_.fault = Fault::kRefuse;
  std::vector<Work> works = {MakeJob(1), MakeJob(2), MakeJob(3)};
  ASSERT_TRUE(parts_.history->Save(node_, works).ok());
  ASSERT_TRUE(parts_.history->Finish(node_, MakeJob(4), {{}, {4}, {}, {}}).ok());
  const Epoch other = database_.kept.fencing->Acquire("node/m", "other").value();
  const std::vector<Work> taken = {MakeJob(2, "other"), MakeJob(4, "other")};
  ASSERT_TRUE(database_.kept.history->Save(other, taken).ok());
  // Its answer is lost, and it is made again: under the same new number.
  int saves = 0;
  database_.next = [&](Verb verb) {
    const bool saves_one = verb == Verb::kSave || verb == Verb::kFinish;
    return saves_one && ++saves % 2 == 1 ? Fault::kApplyThenTimeout : Fault::kNone;
  };
  ASSERT_TRUE(Clears());
  EXPECT_EQ(Look().set_aside, 0u);
  std::map<std::string, int> users;
  for (const int64_t id : Saved()) {
    ++users[database_.kept.history->Get(WorkType::kJob, id)->job->Get<"user">()];
  }
  EXPECT_EQ(users, (std::map<std::string, int>{{"user", 4}, {"other", 2}}));
}

TEST_F(SpooledTest, OneBadWorkOfManyIsSetAsideAlone) {
  Open();
  database_.fault = Fault::kRefuse;
  const std::vector<Work> works = {MakeJob(1), MakeJob(2), MakeJob(3)};
  ASSERT_TRUE(parts_.history->Save(node_, works).ok());
  int saves = 0;
  database_.refuse = [&](Verb verb) -> Status {
    if (verb != Verb::kSave) return Done();
    ++saves;  // All at once, the first, the second.
    return saves == 1 || saves == 3 ? Status(Fail(Kind::kInvalid, "no NUL here")) : Done();
  };
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_EQ(Saved(), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(Look().set_aside, 1u);
}

TEST_F(SpooledTest, AFullSpoolKeepsEndsOfWorkAndSaysSo) {
  bytes_max_ = 20'000;
  Open();
  database_.fault = Fault::kRefuse;
  int64_t live = 0, ends = 0;
  Status refused;
  while ((refused = Put(live + 1)).ok()) ++live;
  EXPECT_EQ(refused.error().kind, Kind::kBackpressure);
  EXPECT_TRUE(Look().full);
  while (Save(ends + 1).ok()) ++ends;
  EXPECT_GT(ends, 2);
  EXPECT_GT(metrics_.Value("sheaf_persistence_spool_refused_total"), 1);
  database_.fault = Fault::kNone;
  ASSERT_TRUE(Clears());
  EXPECT_EQ(Saved().size(), static_cast<size_t>(ends));
  EXPECT_TRUE(Put(live + 1).ok());
}

TEST_F(SpooledTest, AttemptsBecomeRare) {
  Open();
  database_.fault = Fault::kRefuse;
  ASSERT_TRUE(Save(1).ok());
  const auto attempts = [&] { return metrics_.Value("sheaf_persistence_replay_failures_total"); };
  const auto pass = [&](int seconds) {
    const double before = attempts();
    const Event never;
    for (int i = 0; i < seconds * 10; ++i) {
      clock_.Advance(100ms);
      (void)never.WaitFor(500us);
    }
    return attempts() - before;
  };
  EXPECT_GE(pass(10), 4);
  EXPECT_LE(pass(60), 60 / 7.5 + 2);
  database_.fault = Fault::kNone;
  EXPECT_TRUE(Clears());
}

// --- the power fails while the database comes and goes -------------------------------------------

// What the database must hold.
struct Expected {
  std::map<int64_t, Work> jobs;
  LiveWork live;
  std::map<int64_t, Registration> services, archived;
  int32_t order = 0;  // Of its node; 0: none.
  bool operator==(const Expected&) const = default;
};

Expected Read(Persistence& database) {
  Expected found;
  const auto newest = database.history->Newest(WorkType::kJob, 1000).value();
  for (const Work& work : newest) found.jobs.emplace(work.id, work);
  const auto live = database.services->Live().value();
  for (const auto& each : live) found.services.emplace(each.id, each);
  const auto archived = database.services->Archived().value();
  for (const auto& each : archived) found.archived.emplace(each.id, each);
  const auto resources = database.resources->Read().value();
  if (!resources.nodes.empty()) found.order = resources.nodes[0].Get<"share_order">();
  const Epoch epoch = database.fencing->Acquire("node/n", "reader").value();
  found.live = database.history->Restore(epoch, RestoreMode::kWarm)->live;
  return found;
}

// One machine: a disk whose power fails, a database elsewhere that comes and goes.
class Machine {
 public:
  Machine(Database& database, const std::string& root, uint64_t seed)
      : database_(database), disk(root), files_(disk), random_(seed) {}
  ~Machine() { Shut(); }

  // Opened without a thread: what happens when is the seed's affair.
  Status Boot() {
    SHEAF_ASSIGN(auto spool, Spool::Open({.directory = disk.root() + "/spool",
                                          .files = &files_,
                                          .where = "postgresql://h/d"}));
    replayer_ = std::make_shared<Replayer>(
        database_.Connect(), std::move(spool), SpooledOptions{},
        SpooledSurroundings{clock_, log_, metrics_, [] { return 0.5; }});
    SHEAF_TRY(replayer_->ReplayAll());
    parts_ = MakeSpooled(replayer_);
    SHEAF_ASSIGN(node_, parts_.fencing->Acquire("node/n", "one"));
    SHEAF_ASSIGN(cluster_, parts_.fencing->Acquire("cluster", "one"));
    SHEAF_TRY(parts_.history->Restore(node_, RestoreMode::kWarm));
    return Done();
  }
  void Shut() {
    parts_ = {};
    replayer_.reset();
  }

  // Does things until the power fails.
  void Act(int steps) {
    database_.next = [this](Verb) { return Next(); };
    for (int i = 0; i < steps && !disk.off(); ++i) {
      if (random_() % 9 == 0) away_ = !away_;
      if (random_() % 4 == 0) (void)replayer_->ReplayAll();
      Step();
    }
    database_.next = [](Verb) { return Fault::kNone; };
  }

  Expected acknowledged;
  std::optional<Expected> attempted;

 private:
  Fault Next() {
    if (!away_) return Fault::kNone;
    constexpr std::array<Fault, 4> kFaults{Fault::kRefuse, Fault::kApplyThenTimeout,
                                           Fault::kConnectionLost, Fault::kRefuse};
    return kFaults[random_() % kFaults.size()];
  }
  void Step() {
    Expected next = acknowledged;
    const auto id = static_cast<int64_t>(++made_);
    const Status done = Make(id, next);
    if (done.ok()) {
      acknowledged = std::move(next);
      return;
    }
    EXPECT_TRUE(disk.off()) << done.error().message;  // Nothing else is refused here.
    attempted = std::move(next);
  }
  Status Make(int64_t id, Expected& next) {
    switch (random_() % 7) {
      case 0: {
        const std::vector<Work> works = {MakeJob(id), MakeJob(id + 10'000)};
        for (const Work& work : works) next.jobs.emplace(work.id, work);
        SHEAF_TRY(parts_.history->Save(node_, works));
        return Done();
      }
      case 1: {
        const ChangeSet change{{{id, "item"}}, {}, {{"p" + std::to_string(id), id}}, {}};
        ApplyChange(change, next.live);
        return parts_.history->Change(node_, change);
      }
      case 2: {
        ChangeSet change;
        if (!next.live.items.empty()) change.removed = {next.live.items.begin()->first};
        ApplyChange(change, next.live);
        next.jobs.emplace(id, MakeJob(id));
        SHEAF_TRY(parts_.history->Finish(node_, MakeJob(id), change));
        return Done();
      }
      case 3: {
        next.live = {{{id, "whole"}}, {}};
        return parts_.history->Checkpoint(node_, next.live);
      }
      case 4: {
        next.services.emplace(id, MakeRegistration(id));
        return parts_.services->Store(cluster_, MakeRegistration(id));
      }
      case 5: {
        if (next.services.empty()) return Done();
        const auto last = next.services.extract(next.services.begin()).mapped();
        next.archived.emplace(last.id, last);
        return parts_.services->Archive(cluster_, last);
      }
      default: {
        next.order = static_cast<int32_t>(id);
        SHEAF_TRY(parts_.resources->Begin(node_, {{MakeNode("n", next.order)}, {}, {}}));
        return Done();
      }
    }
  }

  Database& database_;

 public:
  testkit::PowerCutDisk disk;

 private:
  testkit::PowerCutFiles files_;
  std::mt19937_64 random_;
  ManualClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  std::shared_ptr<Replayer> replayer_;
  Persistence parts_;
  Epoch node_, cluster_;
  bool away_ = false;
  uint64_t made_ = 0;
};

TEST(SpooledPowerCutTest, WhatWasAcknowledgedIsThereOnceWhereverThePowerFails) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  const int steps = testkit::Soak() ? 400 : 60;
  uint64_t cut = 0, doubtful = 0;
  for (bool over = false; !over;) {
    ASSERT_LT(++cut, 5000u);
    for (const auto survival :
         {testkit::Survival::kSynced, testkit::Survival::kEverything, testkit::Survival::kRandom}) {
      SCOPED_TRACE("cut at " + std::to_string(cut));
      testkit::TemporaryDirectory root, left;
      Database database;
      Expected acknowledged;
      std::optional<Expected> attempted;
      {
        Machine machine(database, root.path(), seed);
        machine.disk.CutAt(cut);
        if (machine.Boot().ok()) machine.Act(steps);
        over = !machine.disk.off();
        machine.Shut();
        machine.disk.Survive(left.path() + "/left", survival, seed + cut);
        acknowledged = machine.acknowledged;
        attempted = machine.attempted;
      }
      Machine again(database, left.path() + "/left", seed);
      const Status booted = again.Boot();
      ASSERT_TRUE(booted.ok()) << booted.error().message;
      const Expected found = Read(database.kept);
      EXPECT_TRUE(found == acknowledged || (attempted && found == *attempted));
      doubtful += found == acknowledged ? 0 : 1;
      ASSERT_FALSE(testing::Test::HasFailure());
    }
  }
  std::cout << "spool: the power was cut at " << cut - 1 << " write points of " << steps
            << " writes; " << doubtful << " times a write was there that nobody was told of\n";
}

// --- healthy -------------------------------------------------------------------------------------

Backend Spooled(int faults_in_ten) {
  return {.name = faults_in_ten == 0 ? "spooled memory" : "faulty spooled memory",
          .open = [](const std::string& directory) -> Result<Persistence> {
            static ManualClock clock;
            static observe::NullLog log;
            static observe::MemoryMetrics metrics;
            return OpenSpooled(
                OpenMemory(), {.spool = {.directory = directory + "/spool", .where = "memory:"}},
                {.clock = clock, .log = log, .metrics = metrics, .chance = [] { return 0.5; }});
          },
          .survives_reopen = false,
          .shared = false,
          .faults_in_ten = faults_in_ten};
}
SHEAF_PERSISTENCE_CONTRACT(Spooled, testing::Values(Spooled(0)));
SHEAF_PERSISTENCE_CONTRACT(FaultySpooled, testing::Values(Spooled(4)));

}  // namespace
}  // namespace sheaf::persistence
