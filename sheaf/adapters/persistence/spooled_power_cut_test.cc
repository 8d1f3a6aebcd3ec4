// PLAN  a database comes and goes, writes meet every fault, and the power fails at every write
//       point of the spool: after the next start what was acknowledged is there once, nothing else
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "sheaf/adapters/persistence/replayer.h"
#include "sheaf/adapters/persistence/spooled_test.h"
#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/time/manual_clock.h"
#include "sheaf/ports/persistence/contract/persistence_contract.h"
#include "testkit/power_cut.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace sheaf::persistence {
namespace {

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

}  // namespace
}  // namespace sheaf::persistence
