// A cluster in simulation: jobs arrive, get shares of nodes, work their items, and end; everything
// that a server would write down of it goes through the port of persistence.
#pragma once

#include <cstdint>
#include <map>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "bench/workload.h"
#include "sheaf/ports/persistence/persistence.h"

namespace bench {

struct ClusterOptions {
  int32_t nodes = 64;
  int32_t node_gb = 60;
  int32_t quantum_gb = 10;        // Of a share.
  int64_t tick_ms = 50'000;       // Of workload time: what a server gathers into one change set.
  int64_t sample_ms = 600'000;    // Between two verdicts.
  uint64_t seed = 1;
};

// One verdict on how well the cluster fits its load.
struct Sample {
  int64_t at_ms = 0;
  sheaf::persistence::Provisioning verdict;
  size_t jobs = 0;
};

struct Replayed {
  int64_t jobs = 0, items = 0, items_ms = 0;
  int64_t changes = 0, finishes = 0, shares = 0, loads = 0;  // Writes: a sync each.
  int64_t bytes = 0;                                         // Of change sets and documents.
  int64_t ended_ms = 0;                                      // Workload time.
  std::vector<Sample> samples;
  int64_t writes() const { return changes + finishes + shares + loads; }
  int64_t events() const { return items + jobs * 2 + shares; }
};

// Owner: the bench. Threads: one. An error of the back end ends the program.
class Cluster final {
 public:
  Cluster(sheaf::persistence::Persistence& memory, std::vector<WorkloadJob> jobs,
          const ClusterOptions& options);
  Replayed Run();
  const sheaf::persistence::Epoch& epoch() const { return epoch_; }

 private:
  struct Process {
    int64_t share = 0;  // Its number.
    size_t node = 0;
    int64_t began_ms = 0;
    int32_t idle = 0;  // Slots without an item.
    bool told = false;  // That it runs.
    bool gone = false;
  };
  struct Job {
    int64_t id = 0;
    WorkloadJob is;
    int32_t order = 1;  // Shares of a process.
    std::vector<int64_t> items;
    size_t next = 0, done = 0, done_told = 0;
    std::vector<Process> processes;
    int32_t running = 0;  // Of them.
    // When a slot is free again, and the process it is of.
    using Slot = std::pair<int64_t, size_t>;
    std::priority_queue<Slot, std::vector<Slot>, std::greater<>> slots;
    std::vector<sheaf::persistence::ProcessSummary> over;
    int32_t Wanted() const;  // Processes.
  };

  void Arrive();
  void Work(Job& job);
  void Grant();
  bool GrantOne(Job& job);
  void Release(Job& job, size_t process);
  void TellLoad();
  void TellChange();
  void End(Job& job);
  void Judge();
  sheaf::persistence::ShareKey KeyOf(const Job& job, const Process& process) const;

  sheaf::persistence::Persistence& memory_;  // Borrowed from the bench.
  const std::vector<WorkloadJob> waiting_;
  const ClusterOptions options_;
  size_t arrived_ = 0;
  int64_t now_ms_ = 0;
  int64_t last_share_ = 0;
  std::map<int64_t, Job> live_;
  std::vector<int32_t> free_;  // Shares of each node.
  std::vector<sheaf::persistence::Load> load_;
  sheaf::persistence::ChangeSet change_;
  sheaf::persistence::Epoch epoch_;
  Replayed replayed_;
};

}  // namespace bench
