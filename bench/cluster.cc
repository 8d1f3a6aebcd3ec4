#include "bench/cluster.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "bench/measure.h"
#include "sheaf/base/core/check.h"

namespace bench {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): all of it is meant
using sheaf::Result;
using sheaf::Status;

namespace {

std::string NodeName(size_t node) { return "node-" + std::to_string(node); }

template <typename T>
T Sure(Result<T> result) {
  if (!result.ok()) std::fprintf(stderr, "replay: %s\n", result.error().message.c_str());
  SHEAF_CHECK(result.ok());
  return std::move(result).value();
}
void Sure(const Status& status) {
  if (!status.ok()) std::fprintf(stderr, "replay: %s\n", status.error().message.c_str());
  SHEAF_CHECK(status.ok());
}

Node MakeNode(size_t number, const ClusterOptions& options) {
  Node node;
  node.Set<"name">(NodeName(number))
      .Set<"memory">(options.node_gb)
      .Set<"nodepool">("default")
      .Set<"quantum">(options.quantum_gb)
      .Set<"share_order">(options.node_gb / options.quantum_gb)
      .Set<"responsive">(true)
      .Set<"online">(true)
      .Set<"quiesced">(false)
      .Set<"reservable">(true)
      .Set<"blacklisted">(false);
  return node;
}

std::string ItemText(int64_t id, size_t done, size_t total) {
  return R"({"format":1,"job":)" + std::to_string(id) + R"(,"done":)" + std::to_string(done) +
         R"(,"total":)" + std::to_string(total) + "}";
}

}  // namespace

Cluster::Cluster(Persistence& memory, std::vector<WorkloadJob> jobs, const ClusterOptions& options)
    : memory_(memory), waiting_(std::move(jobs)), options_(options) {
  epoch_ = Sure(memory_.fencing->Acquire("node/replay", "bench_replay"));
  Sure(memory_.history->Restore(epoch_, RestoreMode::kWarm));
  Resources resources;
  for (size_t i = 0; i < static_cast<size_t>(options_.nodes); ++i) {
    resources.nodes.push_back(MakeNode(i, options_));
    free_.push_back(options_.node_gb / options_.quantum_gb);
  }
  Sure(memory_.resources->Begin(epoch_, resources));
}

int32_t Cluster::Job::Wanted() const {
  const auto left = static_cast<int64_t>(items.size() - done);
  return static_cast<int32_t>(
      std::min<int64_t>(is.machines, (left + is.threads - 1) / is.threads));
}

ShareKey Cluster::KeyOf(const Job& job, const Process& process) const {
  return {NodeName(process.node), process.share, job.id};
}

void Cluster::Arrive() {
  for (; arrived_ < waiting_.size() && waiting_[arrived_].submitted_ms <= now_ms_; ++arrived_) {
    const auto id = static_cast<int64_t>(arrived_) + 1;
    Job& job = live_[id];
    job.id = id;
    job.is = waiting_[arrived_];
    job.order = (job.is.memory_gb + options_.quantum_gb - 1) / options_.quantum_gb;
    job.items = MakeItems(job.is, options_.seed * 1'000'003 + static_cast<uint64_t>(id));
    for (const int64_t ms : job.items) replayed_.items_ms += ms;
    change_.put.emplace_back(id, ItemText(id, 0, job.items.size()));
  }
}

// All that ends in this tick: a slot takes the next item at the moment that it is free.
void Cluster::Work(Job& job) {
  while (!job.slots.empty() && job.slots.top().first <= now_ms_) {
    const auto [at, place] = job.slots.top();
    job.slots.pop();
    ++job.done;
    ++replayed_.items;
    if (job.next < job.items.size()) {
      job.slots.emplace(at + job.items[job.next++], place);
    } else if (++job.processes[place].idle == job.is.threads) {
      Release(job, place);
    }
  }
  for (Process& process : job.processes) {
    if (process.gone || std::exchange(process.told, true)) continue;
    Sure(memory_.resources->UpdateShare(
        epoch_, KeyOf(job, process),
        {.state = "Running", .pid = process.share, .init_time = options_.tick_ms}));
    ++replayed_.shares;
  }
}

// One process for each job in turn, as long as there is space for any.
void Cluster::Grant() {
  bool some = true;
  while (some) {
    some = false;
    for (auto& [id, job] : live_) {
      const bool starves = job.next < job.items.size() && job.running < job.Wanted();
      if (starves && GrantOne(job)) some = true;
    }
  }
}

bool Cluster::GrantOne(Job& job) {
  const auto roomy = std::find_if(free_.begin(), free_.end(),
                                  [&job](int32_t free) { return free >= job.order; });
  if (roomy == free_.end()) return false;
  *roomy -= job.order;
  const size_t place = job.processes.size();
  Process& process = job.processes.emplace_back();
  process.share = ++last_share_;
  process.node = static_cast<size_t>(roomy - free_.begin());
  process.began_ms = now_ms_;
  ++job.running;
  for (int32_t i = 0; i < job.is.threads; ++i) {
    if (job.next < job.items.size()) {
      job.slots.emplace(now_ms_ + job.items[job.next++], place);
    } else {
      ++process.idle;
    }
  }
  Share share;
  share.Set<"node">(NodeName(process.node))
      .Set<"ducc_dbid">(process.share)
      .Set<"job_id">(job.id)
      .Set<"share_order">(job.order)
      .Set<"quantum">(options_.quantum_gb)
      .Set<"state">("Allocated")
      .Set<"jobtype">("Job")
      .Set<"fixed">(false)
      .Set<"purged">(false)
      .Set<"evicted">(false);
  Sure(memory_.resources->AddShare(epoch_, share));
  ++replayed_.shares;
  change_.linked.emplace_back(std::to_string(process.share), job.id);
  return true;
}

void Cluster::Release(Job& job, size_t place) {
  Process& process = job.processes[place];
  SHEAF_CHECK(Sure(memory_.resources->RemoveShare(epoch_, KeyOf(job, process))) == Present::kYes);
  ++replayed_.shares;
  free_[process.node] += job.order;
  process.gone = true;
  --job.running;
  change_.unlinked.push_back(std::to_string(process.share));
  ProcessSummary& over = job.over.emplace_back();
  over.Set<"ducc_id">(job.id)
      .Set<"share_id">(process.share)
      .Set<"host">(NodeName(process.node))
      .Set<"user">(job.is.user)
      .Set<"class">(job.is.class_name)
      .Set<"pid">(process.share)
      .Set<"start">(process.began_ms)
      .Set<"stop">(now_ms_)
      .Set<"run_time">(now_ms_ - process.began_ms)
      .Set<"memory">(job.is.memory_gb)
      .Set<"type">("Job");
}

void Cluster::TellLoad() {
  std::vector<Load> load;
  for (const auto& [id, job] : live_) {
    Load& row = load.emplace_back();
    row.Set<"job_id">(id)
        .Set<"user">(job.is.user)
        .Set<"class">(job.is.class_name)
        .Set<"memory">(job.is.memory_gb)
        .Set<"state">(job.running > 0 ? "Running" : "WaitingForResources")
        .Set<"demand">(std::max(job.Wanted(), job.running) * job.order)
        .Set<"occupancy">(job.running * job.order)
        .Set<"jobtype">("Job");
  }
  if (load == load_) return;
  Sure(memory_.resources->SetLoad(epoch_, load));
  load_ = std::move(load);
  ++replayed_.loads;
}

// What the tick changed, in one change set; those that are over leave in one of their own.
void Cluster::TellChange() {
  std::vector<int64_t> over;
  for (auto& [id, job] : live_) {
    if (job.done == job.items.size()) {
      over.push_back(id);
    } else if (job.done != job.done_told) {
      job.done_told = job.done;
      change_.put.emplace_back(id, ItemText(id, job.done, job.items.size()));
    }
  }
  if (!change_.empty()) {
    Sure(memory_.history->Change(epoch_, change_));
    replayed_.bytes += static_cast<int64_t>(Sure(EncodeChange(change_)).size());
    change_ = {};
    ++replayed_.changes;
  }
  for (const int64_t id : over) End(live_.at(id));
}

void Cluster::End(Job& job) {
  sheaf::persistence::Work work{.type = WorkType::kJob, .id = job.id};
  const auto items = static_cast<int32_t>(job.items.size());
  work.job.emplace()
      .Set<"ducc_id">(job.id)
      .Set<"user">(job.is.user)
      .Set<"class">(job.is.class_name)
      .Set<"submission_time">(job.is.submitted_ms)
      .Set<"duration">(now_ms_ - job.is.submitted_ms)
      .Set<"memory">(job.is.memory_gb)
      .Set<"processes">(static_cast<int32_t>(job.over.size()))
      .Set<"state">("Completed")
      .Set<"reason">("EndOfJob")
      .Set<"total_wi">(items)
      .Set<"done_wi">(static_cast<int32_t>(job.done))
      .Set<"description">(job.is.suite + "/" + job.is.file);
  work.processes = std::move(job.over);
  SHEAF_CHECK(Sure(memory_.history->Finish(epoch_, work, {{}, {job.id}, {}, {}})) == Saved::kNew);
  replayed_.bytes += static_cast<int64_t>(EncodeWork(work).size());
  ++replayed_.finishes;
  ++replayed_.jobs;
  live_.erase(job.id);
}

void Cluster::Judge() {
  const Resources resources = Sure(memory_.resources->Read());
  replayed_.samples.push_back({now_ms_, sheaf::persistence::Judge(resources), live_.size()});
}

Replayed Cluster::Run() {
  int64_t judged_ms = -options_.sample_ms;
  while (arrived_ < waiting_.size() || !live_.empty()) {
    Arrive();
    for (auto& [id, job] : live_) Work(job);
    Grant();
    TellLoad();
    TellChange();
    if (now_ms_ - judged_ms >= options_.sample_ms) {
      judged_ms = now_ms_;
      Judge();
    }
    now_ms_ += options_.tick_ms;
  }
  TellLoad();
  Judge();
  replayed_.ended_ms = now_ms_;
  return std::move(replayed_);
}

}  // namespace bench
