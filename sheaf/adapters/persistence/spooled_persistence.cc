#include "sheaf/adapters/persistence/spooled_persistence.h"

#include <utility>

#include "sheaf/adapters/persistence/checks.h"
#include "sheaf/adapters/persistence/record.h"
#include "sheaf/adapters/persistence/replayer.h"

namespace sheaf::persistence {
namespace {

using Weight = Spool::Weight;
using ReplayerPtr = std::shared_ptr<Replayer>;  // Shared by the parts of one Persistence.

// A write: past the spool when nothing waits there, else into it. `record` is called for what is
// valid; `later` is the answer of what waits.
template <typename Act, typename Later>
auto Write(Replayer& replayer, const Epoch& epoch, Weight weight, Act act,
           const std::function<Result<Json>()>& record, Later later) -> decltype(act()) {
  SHEAF_TRY(replayer.StillOwns(epoch));
  std::optional<Error> why;
  if (replayer.clear()) {
    auto answer = act();
    if (answer.ok() || !IsAway(answer.error())) return answer;
    why = answer.error();
  }
  SHEAF_ASSIGN(const Json json, record());
  SHEAF_TRY(replayer.Keep(json, weight, why));
  return later;
}

template <typename Act>
auto Ask(Replayer& replayer, Act act) -> decltype(act()) {
  if (!replayer.clear()) return replayer.Away();
  return act();
}

class SpooledFencing final : public Fencing {
 public:
  explicit SpooledFencing(ReplayerPtr replayer) : replayer_(std::move(replayer)) {}

  // Only when nothing waits: a new epoch would make it stale.
  Result<Epoch> Acquire(std::string_view scope, std::string_view holder) override {
    return Ask(*replayer_, [&] { return inner().Acquire(scope, holder); });
  }
  Result<Epoch> Holder(std::string_view scope) override {
    return Ask(*replayer_, [&] { return inner().Holder(scope); });
  }
  Status Release(const Epoch& epoch) override {
    return Write(
        *replayer_, epoch, Weight::kCompletion, [&] { return inner().Release(epoch); },
        [&]() -> Result<Json> { return RecordOfRelease(epoch); }, Done());
  }

 private:
  Fencing& inner() { return *replayer_->inner().fencing; }
  const ReplayerPtr replayer_;
};

// What only ends work is a completion.
Weight WeightOf(const ChangeSet& change) {
  return change.put.empty() && change.linked.empty() ? Weight::kCompletion : Weight::kOther;
}

class SpooledHistory final : public WorkHistory {
 public:
  explicit SpooledHistory(ReplayerPtr replayer) : replayer_(std::move(replayer)) {}

  Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works) override {
    return Write(
        *replayer_, epoch, Weight::kCompletion, [&] { return inner().Save(epoch, works); },
        [&]() -> Result<Json> {
          SHEAF_TRY(CheckNodeEpoch(epoch));
          SHEAF_TRY(CheckWorks(works));
          return RecordOfSave(epoch, works);
        },
        std::vector<Saved>(works.size(), Saved::kNew));
  }
  Status Checkpoint(const Epoch& epoch, const LiveWork& live) override {
    return Write(
        *replayer_, epoch, Weight::kOther, [&] { return inner().Checkpoint(epoch, live); },
        [&]() -> Result<Json> {
          SHEAF_TRY(CheckNodeEpoch(epoch));
          SHEAF_TRY(EncodeBase(live));
          return RecordOfCheckpoint(epoch, live);
        },
        Done());
  }
  Status Change(const Epoch& epoch, const ChangeSet& change) override {
    return Write(
        *replayer_, epoch, WeightOf(change), [&] { return inner().Change(epoch, change); },
        [&]() -> Result<Json> {
          SHEAF_TRY(CheckNodeEpoch(epoch));
          SHEAF_TRY(EncodeChange(change));
          return RecordOfChange(epoch, change);
        },
        Done());
  }
  Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) override {
    return Write(
        *replayer_, epoch, Weight::kCompletion,
        [&] { return inner().Finish(epoch, work, leaving); },
        [&]() -> Result<Json> {
          SHEAF_TRY(CheckNodeEpoch(epoch));
          SHEAF_TRY(CheckWork(work));
          SHEAF_TRY(EncodeChange(leaving));
          return RecordOfFinish(epoch, work, leaving);
        },
        Saved::kNew);
  }

  Result<Restored> Restore(const Epoch& epoch, RestoreMode mode) override {
    return Ask(*replayer_, [&] { return inner().Restore(epoch, mode); });
  }
  Result<Work> Get(WorkType type, int64_t id) override {
    return Ask(*replayer_, [&] { return inner().Get(type, id); });
  }
  Result<std::vector<Work>> Newest(WorkType type, size_t n) override {
    return Ask(*replayer_, [&] { return inner().Newest(type, n); });
  }
  Result<Page<JobSummary>> Jobs(const SummaryQuery& query) override {
    return Ask(*replayer_, [&] { return inner().Jobs(query); });
  }
  Result<Page<ProcessSummary>> Processes(const SummaryQuery& query) override {
    return Ask(*replayer_, [&] { return inner().Processes(query); });
  }
  Result<Page<ReservationSummary>> Reservations(const SummaryQuery& query) override {
    return Ask(*replayer_, [&] { return inner().Reservations(query); });
  }

 private:
  WorkHistory& inner() { return *replayer_->inner().history; }
  const ReplayerPtr replayer_;
};

class SpooledRegistry final : public ServiceRegistry {
 public:
  explicit SpooledRegistry(ReplayerPtr replayer) : replayer_(std::move(replayer)) {}

  Access MayDo() const override { return replayer_->inner().services->MayDo(); }
  Status Store(const Epoch& epoch, const Registration& both) override {
    return Update(
        epoch, [&] { return inner().Store(epoch, both); },
        [&] { return CheckRegistration(both); }, [&] { return RecordOfStore(epoch, both); });
  }
  Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) override {
    return Update(
        epoch, [&] { return inner().UpdateSubmitted(epoch, id, submitted); },
        [&] { return CheckHalf(submitted); },
        [&] { return RecordOfSubmitted(epoch, id, submitted); });
  }
  Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) override {
    return Update(
        epoch, [&] { return inner().UpdateState(epoch, id, state); },
        [&] { return CheckHalf(state); }, [&] { return RecordOfState(epoch, id, state); });
  }
  Status Archive(const Epoch& epoch, const Registration& last) override {
    return Update(
        epoch, [&] { return inner().Archive(epoch, last); },
        [&] { return CheckRegistration(last); }, [&] { return RecordOfArchive(epoch, last); });
  }
  Result<Registration> Get(int64_t id) override {
    return Ask(*replayer_, [&] { return inner().Get(id); });
  }
  Result<std::vector<Registration>> Live() override {
    return Ask(*replayer_, [&] { return inner().Live(); });
  }
  Result<std::vector<Registration>> Archived() override {
    return Ask(*replayer_, [&] { return inner().Archived(); });
  }

 private:
  template <typename Act, typename Check, typename Record>
  Status Update(const Epoch& epoch, Act act, Check check, Record record) {
    return Write(
        *replayer_, epoch, Weight::kOther, act,
        [&]() -> Result<Json> {
          SHEAF_TRY(CheckClusterEpoch(epoch));
          SHEAF_TRY(check());
          return record();
        },
        Done());
  }
  ServiceRegistry& inner() { return *replayer_->inner().services; }
  const ReplayerPtr replayer_;
};

class SpooledResources final : public ResourceState {
 public:
  explicit SpooledResources(ReplayerPtr replayer) : replayer_(std::move(replayer)) {}

  Result<int64_t> Begin(const Epoch& epoch, const Resources& resources) override {
    return Write(
        *replayer_, epoch, Weight::kOther, [&] { return inner().Begin(epoch, resources); },
        [&]() -> Result<Json> {
          SHEAF_TRY(CheckScope(epoch.scope));
          SHEAF_TRY(CheckResources(resources));
          return RecordOfBegin(epoch, resources);
        },
        int64_t{0});
  }
  Status PutNodes(const Epoch& epoch, std::span<const Node> nodes) override {
    return Ask(*replayer_, [&] { return inner().PutNodes(epoch, nodes); });
  }
  Status AddShare(const Epoch& epoch, const Share& share) override {
    return Ask(*replayer_, [&] { return inner().AddShare(epoch, share); });
  }
  Result<Present> UpdateShare(const Epoch& epoch, const ShareKey& key,
                              const ShareChange& change) override {
    return Ask(*replayer_, [&] { return inner().UpdateShare(epoch, key, change); });
  }
  Result<Present> MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag) override {
    return Ask(*replayer_, [&] { return inner().MarkShare(epoch, key, flag); });
  }
  Result<Present> RemoveShare(const Epoch& epoch, const ShareKey& key) override {
    return Ask(*replayer_, [&] { return inner().RemoveShare(epoch, key); });
  }
  Status SetLoad(const Epoch& epoch, std::span<const Load> load) override {
    return Ask(*replayer_, [&] { return inner().SetLoad(epoch, load); });
  }
  Result<Resources> Read() override {
    return Ask(*replayer_, [&] { return inner().Read(); });
  }
  Result<Node> Machine(std::string_view name) override {
    return Ask(*replayer_, [&] { return inner().Machine(name); });
  }

 private:
  ResourceState& inner() { return *replayer_->inner().resources; }
  const ReplayerPtr replayer_;
};

class SpooledOutage final : public Outage {
 public:
  explicit SpooledOutage(ReplayerPtr replayer) : replayer_(std::move(replayer)) {}
  Standing Look() const override { return replayer_->Look(); }
  Status StillOwns(const Epoch& epoch) const override { return replayer_->StillOwns(epoch); }

 private:
  const ReplayerPtr replayer_;
};

}  // namespace

Persistence MakeSpooled(const std::shared_ptr<Replayer>& replayer) {
  Persistence parts;
  parts.fencing = std::make_unique<SpooledFencing>(replayer);
  parts.history = std::make_unique<SpooledHistory>(replayer);
  parts.services = std::make_unique<SpooledRegistry>(replayer);
  if (replayer->inner().resources != nullptr) {
    parts.resources = std::make_unique<SpooledResources>(replayer);
  }
  parts.outage = std::make_unique<SpooledOutage>(replayer);
  return parts;
}

Result<Persistence> OpenSpooled(Persistence inner, SpooledOptions options,
                                SpooledSurroundings surroundings) {
  SHEAF_ASSIGN(auto spool, Spool::Open(options.spool));
  const auto replayer = std::make_shared<Replayer>(std::move(inner), std::move(spool), options,
                                                   std::move(surroundings));
  SHEAF_TRY(replayer->ReplayAll());
  replayer->Start();
  return MakeSpooled(replayer);
}

}  // namespace sheaf::persistence
