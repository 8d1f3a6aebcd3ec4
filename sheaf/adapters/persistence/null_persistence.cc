#include "sheaf/adapters/persistence/null_persistence.h"

#include <atomic>

#include "sheaf/adapters/persistence/checks.h"

namespace sheaf::persistence {
namespace {

class NullFencing final : public Fencing {
 public:
  Result<Epoch> Acquire(std::string_view scope, std::string_view holder) override {
    SHEAF_TRY(CheckScope(scope));
    return Epoch{std::string(scope), ++last_, std::string(holder)};
  }
  Result<Epoch> Holder(std::string_view scope) override {
    SHEAF_TRY(CheckScope(scope));
    return Epoch{std::string(scope), 0, {}};
  }
  Status Release(const Epoch&) override { return Done(); }

 private:
  std::atomic<uint64_t> last_{0};
};

class NullHistory final : public WorkHistory {
 public:
  Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works) override {
    SHEAF_TRY(CheckNodeEpoch(epoch));
    SHEAF_TRY(CheckWorks(works));
    return std::vector<Saved>(works.size(), Saved::kNew);
  }
  Result<Work> Get(WorkType type, int64_t id) override { return NoWork(type, id); }
  Result<std::vector<Work>> Newest(WorkType, size_t) override { return std::vector<Work>{}; }
  Result<Page<JobSummary>> Jobs(const SummaryQuery&) override { return Page<JobSummary>{}; }
  Result<Page<ProcessSummary>> Processes(const SummaryQuery&) override {
    return Page<ProcessSummary>{};
  }
  Result<Page<ReservationSummary>> Reservations(const SummaryQuery&) override {
    return Page<ReservationSummary>{};
  }
  Result<Restored> Restore(const Epoch& epoch, RestoreMode) override {
    SHEAF_TRY(CheckNodeEpoch(epoch));
    return Restored{};
  }
  Status Checkpoint(const Epoch& epoch, const LiveWork& live) override {
    SHEAF_TRY(CheckNodeEpoch(epoch));
    SHEAF_TRY(EncodeBase(live));
    return Done();
  }
  Status Change(const Epoch& epoch, const ChangeSet& change) override {
    SHEAF_TRY(CheckNodeEpoch(epoch));
    SHEAF_TRY(EncodeChange(change));
    return Done();
  }
  Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) override {
    SHEAF_TRY(CheckWork(work));
    SHEAF_TRY(Change(epoch, leaving));
    return Saved::kNew;
  }
};

class NullRegistry final : public ServiceRegistry {
 public:
  Access MayDo() const override { return Access::kReadWrite; }
  Status Store(const Epoch& epoch, const Registration& registration) override {
    SHEAF_TRY(CheckClusterEpoch(epoch));
    return CheckRegistration(registration);
  }
  Status UpdateSubmitted(const Epoch& epoch, int64_t, const Submitted& submitted) override {
    SHEAF_TRY(CheckClusterEpoch(epoch));
    return CheckHalf(submitted);
  }
  Status UpdateState(const Epoch& epoch, int64_t, const ActiveState& state) override {
    SHEAF_TRY(CheckClusterEpoch(epoch));
    return CheckHalf(state);
  }
  Status Archive(const Epoch& epoch, const Registration& last) override {
    return Store(epoch, last);
  }
  Result<Registration> Get(int64_t id) override { return NoRegistration(id); }
  Result<std::vector<Registration>> Live() override { return std::vector<Registration>{}; }
  Result<std::vector<Registration>> Archived() override { return std::vector<Registration>{}; }
};

class NullResources final : public ResourceState {
 public:
  Result<int64_t> Begin(const Epoch& epoch, const Resources& resources) override {
    SHEAF_TRY(CheckScope(epoch.scope));
    SHEAF_TRY(CheckResources(resources));
    return int64_t{++generation_};
  }
  Status PutNodes(const Epoch&, std::span<const Node>) override { return Done(); }
  Status AddShare(const Epoch&, const Share&) override { return Done(); }
  Result<Present> UpdateShare(const Epoch&, const ShareKey&, const ShareChange&) override {
    return Present::kNo;
  }
  Result<Present> MarkShare(const Epoch&, const ShareKey&, ShareFlag) override {
    return Present::kNo;
  }
  Result<Present> RemoveShare(const Epoch&, const ShareKey&) override { return Present::kNo; }
  Status SetLoad(const Epoch&, std::span<const Load>) override { return Done(); }
  Result<Resources> Read() override { return Resources{}; }
  Result<Node> Machine(std::string_view name) override { return NoNode(name); }

 private:
  std::atomic<int64_t> generation_{0};
};

}  // namespace

Persistence OpenNull() {
  return {std::make_unique<NullFencing>(), std::make_unique<NullHistory>(),
          std::make_unique<NullRegistry>(), std::make_unique<NullResources>()};
}

}  // namespace sheaf::persistence
