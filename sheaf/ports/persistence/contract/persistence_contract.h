// The suite every back end runs, alone and behind faults; see SHEAF_PERSISTENCE_CONTRACT
// in the tests of adapters/persistence.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/time/manual_clock.h"
#include "sheaf/ports/persistence/faulty_persistence.h"
#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

struct Backend {
  std::string name;
  // Opens what is in the directory, or begins it.
  std::function<Result<Persistence>(const std::string& directory)> open;
  // Deviations, printed at the end of the run.
  bool keeps = true;            // null: no
  bool survives_reopen = true;  // null, memory: no
  bool shared = true;           // Two may have it open at once; null, memory, file: no.
  bool has_summaries = true;    // null, file: no
  bool has_resources = true;    // file: no
  int faults_in_ten = 0;        // Calls that the fault decorator spoils.
};
std::ostream& operator<<(std::ostream& out, const Backend& backend);

class PersistenceContract : public ::testing::TestWithParam<Backend> {
 public:
  static void TearDownTestSuite();

 protected:
  void SetUp() override;
  void TearDown() override;
  // Closes the back end and opens it again, as after a restart.
  void Reopen();
  bool plain() const { return GetParam().faults_in_ten == 0; }
  // What a back end does not do is noted in the record of the case that asks for it: a case that
  // left something out must not look like one that did not.
  bool keeps() const { return Noted(GetParam().keeps, "lacks_keeping"); }
  bool survives_reopen() const { return Noted(GetParam().survives_reopen, "lacks_reopening"); }
  bool has_summaries() const { return Noted(GetParam().has_summaries, "lacks_summaries"); }
  bool has_resources() const { return Noted(GetParam().has_resources, "lacks_resources"); }
  // For cases that faults would only make slow.
  bool OnlyPlain() const { return Noted(plain(), "lacks_faults"); }

  // Asks again while the answer is an injected fault.
  template <typename Act>
  auto Sure(Act act) -> decltype(act()) {
    while (true) {
      auto answer = act();
      if (answer.ok() || answer.error().message.find("injected") == std::string::npos) {
        return answer;
      }
    }
  }
  Epoch Acquire(std::string_view scope, std::string_view holder = "holder");
  // A node's epoch under which checkpoints may be made.
  Epoch Started(std::string_view node = "n", RestoreMode mode = RestoreMode::kWarm);

  Fencing& fencing() { return *front_.fencing; }
  WorkHistory& history() { return *front_.history; }
  ServiceRegistry& services() { return *front_.services; }
  ResourceState& resources() { return *front_.resources; }

  static bool Noted(bool does, const char* what) {
    if (!does) RecordProperty(what, "yes");
    return does;
  }

  std::string directory_;
  Persistence back_;
  std::unique_ptr<Faults> faults_;
  Persistence front_;  // What the tests talk to.
  uint64_t seed_ = 0;
  std::mutex random_mutex_;
  std::mt19937_64 random_;
};

class HistoryContract : public PersistenceContract {
 protected:
  std::vector<Saved> Save(const Epoch& epoch, const std::vector<Work>& works);
  Result<Work> Get(WorkType type, int64_t id);
  std::vector<int64_t> JobIds(SummaryQuery query);
};
class CheckpointContract : public PersistenceContract {
 protected:
  Restored Restore(const Epoch& epoch, RestoreMode mode = RestoreMode::kWarm);
  Status Change(const Epoch& epoch, const ChangeSet& change);
};
class RegistryContract : public PersistenceContract {
 protected:
  Status Store(const Epoch& epoch, const Registration& registration);
  std::vector<Registration> Live();
  std::vector<Registration> Archived();
};
class ResourceContract : public PersistenceContract {
 protected:
  Resources Read();
  Node Machine(std::string_view name);
};
class ModelContract : public PersistenceContract {};
// Of back ends that offer administration; alone, because its verbs are no business of faults that
// are injected between a node and its back end.
class AdministrationContract : public HistoryContract {
 protected:
  Administration& administration() { return *back_.administration; }
  std::string File() const { return directory_ + "/file.backup"; }
};

// Every suite against these back ends: testing::Values(…) or testing::ValuesIn(…).
#define SHEAF_PERSISTENCE_CONTRACT(name, backends)              \
  INSTANTIATE_TEST_SUITE_P(name, HistoryContract, backends);    \
  INSTANTIATE_TEST_SUITE_P(name, CheckpointContract, backends); \
  INSTANTIATE_TEST_SUITE_P(name, RegistryContract, backends);   \
  INSTANTIATE_TEST_SUITE_P(name, ResourceContract, backends);   \
  INSTANTIATE_TEST_SUITE_P(name, ModelContract, backends)

#define SHEAF_ADMINISTRATION_CONTRACT(name, backends) \
  INSTANTIATE_TEST_SUITE_P(name, AdministrationContract, backends)

// Work that is right, and says its id in every part.
Work MakeJob(int64_t id, std::string user = "user", int64_t time = 1000);
Work MakeReservation(int64_t id, std::string hosts, int64_t time = 1000);
Registration MakeRegistration(int64_t id, std::string description = "d");
Node MakeNode(std::string name, int32_t order);
Share MakeShare(std::string node, int64_t dbid, int64_t job, int32_t order);

// Kind of the error; a success fails the test.
template <typename Answer>
Kind KindOf(const Answer& answer) {
  EXPECT_FALSE(answer.ok());
  return answer.ok() ? Kind::kInternal : answer.error().kind;
}
template <typename Answer>
bool LostOwnership(const Answer& answer) {
  return !answer.ok() && IsOwnershipLost(answer.error());
}

}  // namespace sheaf::persistence
