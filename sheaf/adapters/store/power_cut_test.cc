// PLAN  the power fails at every write point of: commits to disk and memory, replacements, several
//       targets, drops, pins, spills, evictions, the start itself. On what survives: what was
//       acknowledged durable is whole, what was not is whole or absent, nothing else is there, no
//       generation comes twice, no file is left over · a full disk refuses a drop, wholly.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <numeric>
#include <set>

#include "sheaf/adapters/store/local_store.h"
#include "testkit/batches.h"
#include "testkit/power_cut.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace sheaf::store {
namespace {

using testkit::Survival;

// What a path holds: its first number, of kRows; nothing = absent.
using Content = std::optional<int64_t>;
using State = std::map<std::string, Content>;
constexpr int64_t kRows = 300;

Path P(const std::string& name) { return Path::Make({"p", name}).value(); }

std::vector<int64_t> Rows(int64_t first) {
  std::vector<int64_t> rows(kRows);
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

struct Machine {
  ManualClock clock;
  observe::NullLog log;
  observe::MemoryMetrics metrics;

  // The disk of `root`; it syncs nothing for real, so also runs without a cut are quick on it.
  explicit Machine(const std::string& root) : disk(root), files(disk), vfs(disk) {}

  Result<std::unique_ptr<Store>> Open(Bytes memory_budget = {}) {
    LocalStoreOptions options{.clock = clock, .log = log, .metrics = metrics};
    options.directory = disk.root() + "/store";
    options.files = &files;
    options.sqlite_vfs = vfs.name();
    options.memory_budget = memory_budget;
    return OpenLocal(options);
  }

  testkit::PowerCutDisk disk;
  testkit::PowerCutFiles files;
  testkit::PowerCutVfs vfs;
};

// Does things to a store and knows what it may expect of it afterwards.
class Actor {
 public:
  // `store` may be null: then nothing can be done.
  Actor(Store* store, State before, uint64_t generation)
      : store_(store), acknowledged_(std::move(before)), generation_(generation) {}

  // What a restart must find, or may find instead if one step was cut short.
  const State& acknowledged() const { return acknowledged_; }
  const std::optional<State>& attempted() const { return attempted_; }
  uint64_t generation() const { return generation_; }

  void Keep(std::vector<std::string> names, int64_t first, Tier tier) {
    State next = acknowledged_;
    for (const auto& name : names) next[name] = tier == Tier::kDisk ? Content(first) : std::nullopt;
    Step(next, [&]() -> Status {
      WriterOptions options;
      options.schema = testkit::NumbersSchema();
      options.tier = tier;
      SHEAF_ASSIGN(auto writer, store_->OpenWriter(options));
      EXPECT_GT(writer->flight()->generation(), generation_);
      generation_ = writer->flight()->generation();
      SHEAF_TRY(writer->Write(0, testkit::Numbers(first, kRows / 2, 50)));
      SHEAF_TRY(writer->Flush());
      SHEAF_TRY(writer->Write(0, testkit::Numbers(first + kRows / 2, kRows / 2, 50)));
      std::vector<CommitTarget> targets;
      for (const auto& name : names) {
        CommitTarget target;
        target.sink.path = P(name);
        target.sink.tier = tier;
        targets.push_back(std::move(target));
      }
      SHEAF_ASSIGN(const auto records, writer->Commit(std::move(targets), nullptr));
      for (const auto& record : records) EXPECT_EQ((*record)->durable, tier == Tier::kDisk);
      return Done();
    });
  }
  void Drop(const std::string& name) {
    State next = acknowledged_;
    next[name] = std::nullopt;
    Step(next, [&] { return store_->Drop(P(name), std::nullopt); });
  }
  void Pin(const std::string& name) {
    Step(acknowledged_, [&]() -> Status {
      SHEAF_TRY(store_->Pin(P(name), std::nullopt, true));
      return Done();
    });
  }
  void Abandon(int64_t first) {
    Step(acknowledged_, [&]() -> Status {
      WriterOptions options;
      options.schema = testkit::NumbersSchema();
      options.tier = Tier::kDisk;
      SHEAF_ASSIGN(auto writer, store_->OpenWriter(options));
      generation_ = writer->flight()->generation();
      SHEAF_TRY(writer->Write(0, testkit::Numbers(first, kRows, 50)));
      return writer->Flush();
    });
  }

 private:
  void Step(const State& next, const std::function<Status()>& act) {
    if (attempted_.has_value()) return;  // The power is off.
    if (act().ok()) {
      acknowledged_ = next;
    } else {
      attempted_ = next;
    }
  }

  Store* const store_;  // Borrowed from the run.
  State acknowledged_;
  std::optional<State> attempted_;
  uint64_t generation_;  // The greatest that was ever given out.
};

State ReadAll(Store& store, const State& names) {
  State found;
  for (const auto& [name, content] : names) {
    found[name] = std::nullopt;
    const auto there = store.Lookup(P(name));
    if (!there.has_value()) continue;
    EXPECT_TRUE(there->record->durable);
    std::vector<Batch> batches;
    auto reader = there->flight->OpenReader(0);
    EXPECT_TRUE(reader.ok()) << (reader.ok() ? "" : reader.error().message);
    if (!reader.ok()) continue;
    while (true) {
      auto batch = (*reader)->Wait(CancelToken());
      EXPECT_TRUE(batch.ok()) << (batch.ok() ? "" : batch.error().message);
      if (!batch.ok() || *batch == nullptr) break;
      batches.push_back(*batch);
    }
    const auto rows = testkit::NumbersOf(batches);
    EXPECT_FALSE(rows.empty());
    if (rows.empty()) continue;
    EXPECT_EQ(rows, Rows(rows[0])) << "torn: " << name;
    found[name] = rows[0];
  }
  return found;
}

State WithoutAbsent(const State& state) {
  State present;
  for (const auto& [name, content] : state) {
    if (content.has_value()) present[name] = content;
  }
  return present;
}

// Opens what survived and judges it.
void Judge(const std::string& root, const Actor& actor) {
  Machine machine(root);
  auto opened = machine.Open();
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  Store& store = **opened;
  State names = actor.acknowledged();
  if (actor.attempted().has_value()) {
    names.insert(actor.attempted()->begin(), actor.attempted()->end());
  }
  const State found = WithoutAbsent(ReadAll(store, names));
  const bool as_acknowledged = found == WithoutAbsent(actor.acknowledged());
  const bool as_attempted =
      actor.attempted().has_value() && found == WithoutAbsent(*actor.attempted());
  EXPECT_TRUE(as_acknowledged || as_attempted);
  EXPECT_EQ(store.List(Path(), Path(), 1000).size(), found.size());
  std::set<uint64_t> generations;
  for (const Found& each : store.List(Path(), Path(), 1000)) {
    generations.insert(each.record->generation);
  }
  const auto files = std::distance(std::filesystem::directory_iterator(root + "/store/data"),
                                   std::filesystem::directory_iterator());
  EXPECT_EQ(static_cast<size_t>(files), generations.size());
  WriterOptions options;
  options.schema = testkit::NumbersSchema();
  EXPECT_GT(store.OpenWriter(options).value()->flight()->generation(), actor.generation());
}

struct Scenario {
  std::string name;
  std::function<void(Actor&)> prepare;  // Before the power may fail.
  std::function<void(Actor&)> act;
  Bytes memory_budget{};
};

// What an undisturbed store leaves before the power may fail.
Actor Prepare(const Scenario& scenario, const std::string& root) {
  if (scenario.prepare == nullptr) return Actor(nullptr, {}, 0);
  Machine machine(root);
  auto store = machine.Open().value();
  Actor actor(store.get(), {}, 0);
  scenario.prepare(actor);
  // And what a crash could have left.
  std::ofstream(root + "/store/data/00000000000003fe-0.arrows") << "half a file";
  return Actor(nullptr, actor.acknowledged(), actor.generation());
}

void JudgeSurvivals(const testkit::PowerCutDisk& disk, const Actor& actor, uint64_t seed) {
  std::vector<Survival> survivals = {Survival::kSynced, Survival::kEverything, Survival::kRandom};
  if (testkit::Soak()) survivals.resize(30, Survival::kRandom);
  for (const Survival survival : survivals) {
    SCOPED_TRACE("survival " + std::to_string(static_cast<int>(survival)) + ", seed " +
                 std::to_string(++seed));
    testkit::TemporaryDirectory left;
    disk.Survive(left.path() + "/left", survival, seed);
    Judge(left.path() + "/left", actor);
  }
}

// One run that is cut at write point `cut` after the preparation. True when it was over before.
bool RunAndCut(const Scenario& scenario, uint64_t cut, uint64_t seed) {
  SCOPED_TRACE(scenario.name + ", cut at " + std::to_string(cut));
  testkit::TemporaryDirectory root;
  const Actor before = Prepare(scenario, root.path());
  Machine machine(root.path());
  machine.disk.CutAt(cut);
  auto opened = machine.Open(scenario.memory_budget);
  if (!opened.ok()) {
    JudgeSurvivals(machine.disk, before, seed);  // Nothing was done, so nothing may be missing.
    return false;
  }
  Actor actor(opened->get(), before.acknowledged(), before.generation());
  if (scenario.act != nullptr) scenario.act(actor);
  opened->reset();  // A clean end has write points too.
  JudgeSurvivals(machine.disk, actor, seed);
  return !machine.disk.off();
}

void CutEverywhere(const Scenario& scenario) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  uint64_t cut = 1;
  while (!RunAndCut(scenario, cut, seed + cut)) {
    ASSERT_FALSE(testing::Test::HasFailure()) << scenario.name << " cut at " << cut;
    ASSERT_LT(++cut, 2000u);
  }
  std::cout << scenario.name << ": the power was cut at " << cut - 1 << " write points\n";
}

void TwoFlights(Actor& actor) {
  actor.Keep({"a"}, 1000, Tier::kDisk);
  actor.Keep({"b"}, 2000, Tier::kDisk);
}

TEST(StorePowerCutTest, FirstStartAndFirstCommit) {
  CutEverywhere({.name = "first start", .prepare = nullptr, .act = [](Actor& actor) {
                   actor.Keep({"a"}, 1000, Tier::kDisk);
                 }});
}

TEST(StorePowerCutTest, CommitToDiskReplaceAndSeveralTargets) {
  CutEverywhere({.name = "commit to disk", .prepare = TwoFlights, .act = [](Actor& actor) {
                   actor.Keep({"c"}, 3000, Tier::kDisk);
                   actor.Keep({"a"}, 4000, Tier::kDisk);
                   actor.Keep({"a", "b", "d"}, 5000, Tier::kDisk);
                 }});
}

TEST(StorePowerCutTest, MemoryReplacesDisk) {
  CutEverywhere({.name = "commit to memory", .prepare = TwoFlights, .act = [](Actor& actor) {
                   actor.Keep({"a"}, 3000, Tier::kMemory);
                   actor.Keep({"b", "e"}, 4000, Tier::kMemory);
                   actor.Keep({"a"}, 5000, Tier::kDisk);
                 }});
}

TEST(StorePowerCutTest, DropPinAndAbandonedWriter) {
  CutEverywhere({.name = "drop and pin", .prepare = TwoFlights, .act = [](Actor& actor) {
                   actor.Pin("a");
                   actor.Abandon(7000);
                   actor.Drop("a");
                   actor.Keep({"a"}, 3000, Tier::kDisk);
                   actor.Drop("b");
                 }});
}

TEST(StorePowerCutTest, SpillAndCommitOfTheSpilled) {
  CutEverywhere({.name = "spill",
                 .prepare = TwoFlights,
                 .act =
                     [](Actor& actor) {
                       actor.Keep({"m"}, 3000, Tier::kMemory);
                       actor.Keep({"n"}, 4000, Tier::kMemory);
                       actor.Keep({"a"}, 5000, Tier::kDisk);
                     },
                 .memory_budget = 16_KiB});
}

TEST(StorePowerCutTest, StartSweepsWhatIsLeft) {
  CutEverywhere({.name = "start",
                 .prepare =
                     [](Actor& actor) {
                       TwoFlights(actor);
                       actor.Keep({"c"}, 3000, Tier::kDisk);
                       actor.Drop("a");
                     },
                 .act = nullptr});
}

TEST(StoreFullDiskTest, ADropWithoutRoomForItChangesNothingAndSaysSo) {
  testkit::TemporaryDirectory directory;
  Machine machine(directory.path());
  {
    auto store = machine.Open().value();
    Actor(store.get(), {}, 0).Keep({"a"}, 0, Tier::kDisk);
    machine.disk.FillUp();
    const Status dropped = store->Drop(P("a"), std::nullopt);
    ASSERT_FALSE(dropped.ok());
    EXPECT_EQ(dropped.error().kind, Kind::kExhausted);
    EXPECT_EQ(dropped.error().effect, Effect::kNone);
    EXPECT_NE(dropped.error().message.find("nothing was changed"), std::string::npos);
    EXPECT_TRUE(store->Lookup(P("a")).has_value());
  }
  machine.disk.MakeRoom();
  auto store = machine.Open().value();  // A restart finds what was said.
  EXPECT_TRUE(store->Lookup(P("a")).has_value());
  EXPECT_TRUE(store->Drop(P("a"), std::nullopt).ok());
}

}  // namespace
}  // namespace sheaf::store
