// PLAN  the power fails at every write point of a first start, saving, checkpointing, compacting,
//       finishing and registering: what was acknowledged is there, what was not is whole or absent,
//       summaries equal their documents, epochs grow
#include <iostream>
#include <optional>
#include <set>

#include "sheaf/adapters/persistence/sqlite_test.h"
#include "testkit/power_cut.h"
#include "testkit/seed.h"

namespace sheaf::persistence {
namespace {

struct State {
  std::set<int64_t> jobs, services;
  LiveWork live;
  bool operator==(const State&) const = default;
};

// Does things until the power fails; what must be found, and what else may be.
class Actor {
 public:
  State acknowledged;
  std::optional<State> attempted;
  uint64_t epoch = 0;

  void Act(Persistence& parts) {
    const auto node = parts.fencing->Acquire("node/n", "actor");
    if (!node.ok()) return;
    epoch = node->number;
    if (!parts.history->Restore(*node, RestoreMode::kWarm).ok()) return;
    const auto cluster = parts.fencing->Acquire("cluster", "actor");
    if (!cluster.ok()) return;
    for (int64_t i = 1; i <= 4 && !attempted; ++i) {
      State next = acknowledged;
      next.jobs.insert({i, i + 10});
      const std::vector<Work> works = {MakeJob(i), MakeJob(i + 10)};
      Step(next, [&] { return parts.history->Save(*node, works).ok(); });
      next = acknowledged;
      const ChangeSet put{{{i, std::to_string(i)}, {100 + i, std::string(300, 'x')}}, {}, {}, {}};
      ApplyChange(put, next.live);
      Step(next, [&] { return parts.history->Change(*node, put).ok(); });
      next = acknowledged;
      const ChangeSet leaving{{}, {i}, {}, {}};
      ApplyChange(leaving, next.live);
      next.jobs.insert(i + 20);
      Step(next, [&] { return parts.history->Finish(*node, MakeJob(i + 20), leaving).ok(); });
      next = acknowledged;
      next.services.insert(i);
      Step(next, [&] { return parts.services->Store(*cluster, MakeRegistration(i)).ok(); });
    }
    State next = acknowledged;
    next.live = {{{7, "seven"}}, {{"p", 7}}};
    Step(next, [&] { return parts.history->Checkpoint(*node, next.live).ok(); });
  }

 private:
  void Step(const State& next, const std::function<bool()>& act) {
    if (attempted) return;  // The power is off.
    if (act()) {
      acknowledged = next;
    } else {
      attempted = next;
    }
  }
};

struct Machine {
  explicit Machine(const std::string& root) : disk(root), files(disk), vfs(disk) {}
  Result<SqlPersistence> Open() {
    return OpenSqlite({.path = disk.root() + "/sheaf.db",
                       .vfs = vfs.name(),
                       .files = &files,
                       .sharing = SqliteOptions::Sharing::kExclusive,
                       .checkpoint = {.generations_kept = 2, .chain_bytes_max = 900}});
  }
  testkit::PowerCutDisk disk;
  testkit::PowerCutFiles files;
  testkit::PowerCutVfs vfs;
};

void Judge(const std::string& root, const Actor& actor) {
  Machine machine(root);
  auto opened = machine.Open();
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_TRUE(Verify(*opened->store)->empty());
  State found;
  const auto newest = opened->parts.history->Newest(WorkType::kJob, 100);
  for (const Work& work : *newest) found.jobs.insert(work.id);
  const auto live = opened->parts.services->Live();
  for (const auto& each : *live) found.services.insert(each.id);
  const Epoch epoch = opened->parts.fencing->Acquire("node/n", "judge").value();
  EXPECT_GT(epoch.number, actor.epoch);
  const auto restored = opened->parts.history->Restore(epoch, RestoreMode::kWarm);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_TRUE(restored->set_aside.empty());
  found.live = restored->live;
  EXPECT_TRUE(found == actor.acknowledged || (actor.attempted && found == *actor.attempted));
}

TEST(SqlitePowerCutTest, NothingAcknowledgedIsLostAtAnyWritePoint) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  // The points of a whole run; each of them, or in a short test a part of those in the middle.
  uint64_t cut = 0;
  int cuts = 0;
  for (bool over = false; !over;) {
    cut += testkit::Soak() || cut < 40 ? 1 : 1 + (seed + cut) % 4;
    ASSERT_LT(cut, 5000u);
    ++cuts;
    SCOPED_TRACE("cut at " + std::to_string(cut));
    testkit::TemporaryDirectory root;
    Machine machine(root.path());
    machine.disk.CutAt(cut);
    Actor actor;
    {
      auto opened = machine.Open();
      if (opened.ok()) actor.Act(opened->parts);
    }
    over = !machine.disk.off();
    for (const auto survival :
         {testkit::Survival::kSynced, testkit::Survival::kEverything, testkit::Survival::kRandom}) {
      testkit::TemporaryDirectory left;
      machine.disk.Survive(left.path() + "/left", survival, seed + cut);
      Judge(left.path() + "/left", actor);
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  std::cout << "sqlite persistence: the power was cut at " << cuts - 1 << " of " << cut
            << " write points\n";
}

}  // namespace
}  // namespace sheaf::persistence
