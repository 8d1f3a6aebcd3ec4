// PLAN  10,000 random operations of two writers with pauses, of whom one is always stale sooner or
//       later, agree with the model in every answer, and now and then in the whole state, every
//       summary compared with its document, and the back end's own verification is clean; behind
//       faults in the state
#include <iostream>

#include "sheaf/ports/persistence/contract/model.h"
#include "sheaf/ports/persistence/contract/persistence_contract.h"

namespace sheaf::persistence {
namespace {

class Walk {
 public:
  Walk(Persistence& front, std::mt19937_64& random, const Backend& backend)
      : front_(front), random_(random), backend_(backend) {}

  void Step() {
    const size_t verbs = front_.resources == nullptr ? 12 : 19;
    const size_t verb = Pick(verbs);
    if (verb < 12) return verb < 8 ? HistoryStep(verb) : RegistryStep(verb);
    ResourceStep(verb);
  }

  void CompareAll() {
    for (const auto& [key, work] : model_.history) {
      EXPECT_EQ(Sure([&] { return front_.history->Get(key.first, key.second); }).value(), work);
    }
    std::vector<Registration> live, archived;
    for (const auto& [id, each] : model_.live) live.push_back(each);
    for (const auto& [id, each] : model_.archived) archived.push_back(each);
    EXPECT_EQ(Sure([&] { return front_.services->Live(); }).value(), live);
    EXPECT_EQ(Sure([&] { return front_.services->Archived(); }).value(), archived);
    if (backend_.has_summaries) CompareSummaries();
    if (front_.resources != nullptr) CompareResources();
  }

 private:
  size_t Pick(size_t n) { return random_() % n; }
  int64_t Id() { return static_cast<int64_t>(Pick(12)); }
  std::string Text() { return "t" + std::to_string(Pick(3)); }

  template <typename Act>
  auto Sure(Act act) -> decltype(act()) {
    while (true) {
      auto answer = act();
      if (answer.ok() || answer.error().message.find("injected") == std::string::npos) {
        return answer;
      }
    }
  }

  // Two writers a scope; each uses the epoch it acquired last, however long ago.
  Epoch& Writer(std::string_view scope) {
    Epoch& epoch = writers_[{std::string(scope), Pick(2)}];
    if (epoch.number == 0 || Pick(12) == 0) {
      epoch = Sure([&] { return front_.fencing->Acquire(scope, "w"); }).value();
      EXPECT_GT(epoch.number, model_.scopes[epoch.scope].epoch);
      model_.Acquired(epoch);
      if (scope != kClusterScope && Pick(4) != 0) RestoreStep(epoch);
    }
    return epoch;
  }
  std::string NodeName() { return "node/" + std::to_string(Pick(2)); }

  template <typename Answer>
  void Same(const Answer& answer, Expect want, const char* verb) {
    Expect got = Expect::kDone;
    if (!answer.ok()) {
      const Error& error = answer.error();
      if (IsOwnershipLost(error)) {
        got = Expect::kLost;
      } else if (error.kind == Kind::kNotReady) {
        got = Expect::kNotReady;
      } else if (error.kind == Kind::kConflict) {
        got = Expect::kConflict;
      } else if (error.kind == Kind::kNotFound) {
        got = Expect::kNotFound;
      } else {
        ADD_FAILURE() << verb << ": " << error.message;
      }
    }
    EXPECT_EQ(static_cast<int>(got), static_cast<int>(want))
        << verb << (answer.ok() ? "" : ": " + answer.error().message);
  }

  void RestoreStep(const Epoch& epoch) {
    const auto mode = Pick(8) == 0 ? RestoreMode::kCold : RestoreMode::kWarm;
    const auto restored = Sure([&] { return front_.history->Restore(epoch, mode); });
    const Expect want = model_.Restore(epoch, mode);
    Same(restored, want, "restore");
    if (!restored.ok() || want != Expect::kDone) return;
    const LiveWork none;
    EXPECT_EQ(restored->live, mode == RestoreMode::kCold ? none : model_.scopes[epoch.scope].live);
  }

  ChangeSet RandomChange() {
    ChangeSet change;
    for (size_t n = Pick(3); n > 0; --n) change.put.emplace_back(Id(), Text());
    for (size_t n = Pick(2); n > 0; --n) change.removed.push_back(Id());
    for (size_t n = Pick(2); n > 0; --n) change.linked.emplace_back(Text(), Id());
    for (size_t n = Pick(2); n > 0; --n) change.unlinked.push_back(Text());
    return change;
  }
  Work RandomWork() {
    const int64_t id = Id() * 40 + static_cast<int64_t>(Pick(40));
    if (Pick(3) == 0) return MakeReservation(id, Text());
    return MakeJob(id, Pick(9) == 0 ? "other" : "user", 100 + id % 7);
  }

  void HistoryStep(size_t verb) {
    const Epoch epoch = Writer(NodeName());
    WorkHistory& history = *front_.history;
    if (verb == 0) {
      RestoreStep(epoch);
    } else if (verb == 1) {
      std::vector<Work> works;
      for (size_t n = 1 + Pick(3); n > 0; --n) works.push_back(RandomWork());
      const auto saved = Sure([&] { return history.Save(epoch, works); });
      Same(saved, model_.Save(epoch, works), "save");
    } else if (verb == 2 && Pick(4) == 0) {
      LiveWork live;
      ApplyChange(RandomChange(), live);
      const Status done = Sure([&] { return history.Checkpoint(epoch, live); });
      Same(done, model_.Checkpoint(epoch, live), "checkpoint");
    } else if (verb < 6) {
      const ChangeSet change = RandomChange();
      const Status done = Sure([&] { return history.Change(epoch, change); });
      Same(done, model_.Change(epoch, change), "change");
    } else {
      const Work work = RandomWork();
      const ChangeSet change = RandomChange();
      const auto done = Sure([&] { return history.Finish(epoch, work, change); });
      Same(done, model_.Finish(epoch, work, change), "finish");
    }
  }

  void RegistryStep(size_t verb) {
    const Epoch epoch = Writer(kClusterScope);
    ServiceRegistry& services = *front_.services;
    const int64_t id = static_cast<int64_t>(random_() % 200);
    if (verb < 10) {
      const auto registration = MakeRegistration(id, Text());
      const Status done = Sure([&] { return services.Store(epoch, registration); });
      Same(done, model_.Store(epoch, registration), "store");
    } else if (verb == 10) {
      ActiveState state;
      state.Set<"last-use">(Text());
      const Status done = Sure([&] { return services.UpdateState(epoch, id, state); });
      Same(done, model_.UpdateState(epoch, id, state), "update");
    } else {
      const auto last = MakeRegistration(id, Text());
      const Status done = Sure([&] { return services.Archive(epoch, last); });
      Same(done, model_.Archive(epoch, last), "archive");
    }
  }

  void ResourceStep(size_t verb) {
    const Epoch epoch = Writer(NodeName());
    ResourceState& resources = *front_.resources;
    const ShareKey key{"m" + std::to_string(Pick(6)), Id() % 3, Id() % 3};
    if (verb == 12) {
      const auto order = static_cast<int32_t>(Pick(20));
      const std::vector<Node> nodes = {MakeNode(key.node, order)};
      const Status done = Sure([&] { return resources.PutNodes(epoch, nodes); });
      Same(done, model_.PutNode(epoch, key.node, order), "put node");
    } else if (verb < 15) {
      const Share share = MakeShare(key.node, key.ducc_dbid, key.job_id, 2);
      const Status done = Sure([&] { return resources.AddShare(epoch, share); });
      Same(done, model_.AddShare(epoch, share), "add share");
    } else if (verb == 15) {
      TouchStep(epoch, key);
    } else if (verb == 16) {
      Present want = Present::kNo;
      const Expect expect = model_.Touch(epoch, key, want);
      const auto removed = Sure([&] { return resources.RemoveShare(epoch, key); });
      Same(removed, expect, "remove");
      if (removed.ok() && backend_.faults_in_ten == 0) {
        EXPECT_EQ(*removed, want);
      }
      if (expect == Expect::kDone) model_.shares.erase(key);
    } else if (verb == 17) {
      std::vector<Load> load;
      for (int64_t job = Id(); job < 5; job += 2) load.emplace_back().Set<"job_id">(job);
      const Status done = Sure([&] { return resources.SetLoad(epoch, load); });
      Same(done, model_.SetLoad(epoch, load), "load");
    } else if (Pick(10) == 0) {
      const auto begun = Sure([&] { return resources.Begin(epoch, {}); });
      Same(begun, model_.Begin(epoch), "begin");
    }
  }

  void TouchStep(const Epoch& epoch, const ShareKey& key) {
    Present want = Present::kNo;
    const Expect expect = model_.Touch(epoch, key, want);
    const bool counts = expect == Expect::kDone && want == Present::kYes;
    if (Pick(2) == 0) {
      const std::string state = Text();
      const auto done =
          Sure([&] { return front_.resources->UpdateShare(epoch, key, {.state = state}); });
      Same(done, expect, "update share");
      if (done.ok()) {
        EXPECT_EQ(*done, want);
      }
      if (counts) model_.shares[key].Set<"state">(state);
    } else {
      const auto done =
          Sure([&] { return front_.resources->MarkShare(epoch, key, ShareFlag::kFixed); });
      Same(done, expect, "mark share");
      if (counts) model_.shares[key].Set<"fixed">(true);
    }
  }

  // Every summary equals the one in its document, and there is no other.
  void CompareSummaries() {
    std::map<int64_t, JobSummary> jobs;
    std::map<int64_t, ReservationSummary> reservations;
    std::map<std::pair<int64_t, int64_t>, ProcessSummary> processes;
    for (const auto& [key, work] : model_.history) {
      if (work.job) jobs[work.id] = *work.job;
      if (work.reservation) reservations[work.id] = *work.reservation;
      for (const auto& each : work.processes) {
        processes[{work.id, each.Get<"share_id">()}] = each;
      }
    }
    const SummaryQuery all{.limit = kPageMax};
    const auto job_page = Sure([&] { return front_.history->Jobs(all); }).value();
    EXPECT_EQ(job_page.rows.size(), jobs.size());
    for (const auto& row : job_page.rows) EXPECT_EQ(row, jobs[row.Get<"ducc_id">()]);
    const auto reserved = Sure([&] { return front_.history->Reservations(all); }).value();
    EXPECT_EQ(reserved.rows.size(), reservations.size());
    for (const auto& row : reserved.rows) EXPECT_EQ(row, reservations[row.Get<"ducc_id">()]);
    const auto process_page = Sure([&] { return front_.history->Processes(all); }).value();
    EXPECT_EQ(process_page.rows.size(), processes.size());
    for (const auto& row : process_page.rows) {
      EXPECT_EQ(row, (processes[{row.Get<"ducc_id">(), row.Get<"share_id">()}]));
    }
    const auto page = Sure([&] { return front_.history->Jobs({.user = "other"}); });
    for (const auto& row : page->rows) EXPECT_EQ(row.Get<"user">(), "other");
  }

  void CompareResources() {
    const Resources now = Sure([&] { return front_.resources->Read(); }).value();
    EXPECT_EQ(now.nodes.size(), model_.nodes.size());
    for (const Node& node : now.nodes) {
      const auto name = node.Get<"name">();
      ASSERT_TRUE(model_.nodes.contains(name));
      EXPECT_EQ((std::vector{node.Get<"shares_left">(), node.Get<"assignments">(),
                             node.Get<"np_assignments">()}),
                model_.Counters(name));
    }
    std::vector<Share> shares;
    for (const auto& [key, share] : model_.shares) shares.push_back(share);
    EXPECT_EQ(now.shares, shares);
    std::vector<Load> load;
    for (const auto& [job, each] : model_.load) load.push_back(each.second);
    EXPECT_EQ(now.load, load);
  }

  Persistence& front_;  // Borrowed from the test.
  std::mt19937_64& random_;
  const Backend& backend_;
  Model model_;
  std::map<std::pair<std::string, size_t>, Epoch> writers_;
};

TEST_P(ModelContract, RandomWalksAgreeWithTheModel) {
  if (!keeps()) return;
  // The walk leaves out what is not there; that is noted.
  (void)has_summaries();
  (void)has_resources();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed_));
  std::mt19937_64 random(seed_);
  Walk walk(front_, random, GetParam());
  for (int step = 1; step <= 10'000; ++step) {
    walk.Step();
    if (step % 1000 == 0) {
      walk.CompareAll();
      if (back_.administration != nullptr) {
        const auto told = [](const Doing&) { return Done(); };
        EXPECT_EQ(back_.administration->Verify(told).value(), std::vector<std::string>());
      }
    }
    ASSERT_FALSE(HasFailure()) << "at step " << step;
    if (step % 3000 == 0 && survives_reopen()) Reopen();
  }
  std::cout << GetParam().name << ": 10,000 operations agree with the model, seed " << seed_
            << "\n";
}

}  // namespace
}  // namespace sheaf::persistence
