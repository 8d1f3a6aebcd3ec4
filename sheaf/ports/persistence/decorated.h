// One shape for every decorator: each verb goes through a policy, which may count it, spoil it or
// make it again.
//
// A Policy has `template <typename Act> auto Call(Verb verb, Act act)`, which returns what act()
// returns or an Error in its place, and may be called from any thread.
#pragma once

#include <memory>
#include <utility>

#include "sheaf/ports/persistence/persistence.h"
#include "sheaf/ports/persistence/verb.h"

namespace sheaf::persistence {

template <typename Policy>
class DecoratedFencing final : public Fencing {
 public:
  DecoratedFencing(Fencing& inner, Policy& policy) : inner_(inner), policy_(policy) {}

  Result<Epoch> Acquire(std::string_view scope, std::string_view holder) override {
    return policy_.Call(Verb::kAcquire, [&] { return inner_.Acquire(scope, holder); });
  }
  Result<Epoch> Holder(std::string_view scope) override {
    return policy_.Call(Verb::kHolder, [&] { return inner_.Holder(scope); });
  }
  Status Release(const Epoch& epoch) override {
    return policy_.Call(Verb::kRelease, [&] { return inner_.Release(epoch); });
  }

 private:
  Fencing& inner_;  // Borrowed from who decorates; outlives this.
  Policy& policy_;  // Borrowed likewise.
};

template <typename Policy>
class DecoratedWorkHistory final : public WorkHistory {
 public:
  DecoratedWorkHistory(WorkHistory& inner, Policy& policy) : inner_(inner), policy_(policy) {}

  Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works) override {
    return policy_.Call(Verb::kSave, [&] { return inner_.Save(epoch, works); });
  }
  Result<Work> Get(WorkType type, int64_t id) override {
    return policy_.Call(Verb::kGet, [&] { return inner_.Get(type, id); });
  }
  Result<std::vector<Work>> Newest(WorkType type, size_t n) override {
    return policy_.Call(Verb::kNewest, [&] { return inner_.Newest(type, n); });
  }
  Result<Page<JobSummary>> Jobs(const SummaryQuery& query) override {
    return policy_.Call(Verb::kJobs, [&] { return inner_.Jobs(query); });
  }
  Result<Page<ProcessSummary>> Processes(const SummaryQuery& query) override {
    return policy_.Call(Verb::kProcesses, [&] { return inner_.Processes(query); });
  }
  Result<Page<ReservationSummary>> Reservations(const SummaryQuery& query) override {
    return policy_.Call(Verb::kReservations, [&] { return inner_.Reservations(query); });
  }
  Result<Restored> Restore(const Epoch& epoch, RestoreMode mode) override {
    return policy_.Call(Verb::kRestore, [&] { return inner_.Restore(epoch, mode); });
  }
  Status Checkpoint(const Epoch& epoch, const LiveWork& live) override {
    return policy_.Call(Verb::kCheckpoint, [&] { return inner_.Checkpoint(epoch, live); });
  }
  Status Change(const Epoch& epoch, const ChangeSet& change) override {
    return policy_.Call(Verb::kChange, [&] { return inner_.Change(epoch, change); });
  }
  Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) override {
    return policy_.Call(Verb::kFinish, [&] { return inner_.Finish(epoch, work, leaving); });
  }

 private:
  WorkHistory& inner_;  // Borrowed from who decorates; outlives this.
  Policy& policy_;      // Borrowed likewise.
};

template <typename Policy>
class DecoratedServiceRegistry final : public ServiceRegistry {
 public:
  DecoratedServiceRegistry(ServiceRegistry& inner, Policy& policy)
      : inner_(inner), policy_(policy) {}

  Access MayDo() const override { return inner_.MayDo(); }
  Status Store(const Epoch& epoch, const Registration& registration) override {
    return policy_.Call(Verb::kStore, [&] { return inner_.Store(epoch, registration); });
  }
  Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) override {
    return policy_.Call(Verb::kUpdateSubmitted,
                        [&] { return inner_.UpdateSubmitted(epoch, id, submitted); });
  }
  Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) override {
    return policy_.Call(Verb::kUpdateState, [&] { return inner_.UpdateState(epoch, id, state); });
  }
  Status Archive(const Epoch& epoch, const Registration& last) override {
    return policy_.Call(Verb::kArchive, [&] { return inner_.Archive(epoch, last); });
  }
  Result<Registration> Get(int64_t id) override {
    return policy_.Call(Verb::kRegistration, [&] { return inner_.Get(id); });
  }
  Result<std::vector<Registration>> Live() override {
    return policy_.Call(Verb::kLive, [&] { return inner_.Live(); });
  }
  Result<std::vector<Registration>> Archived() override {
    return policy_.Call(Verb::kArchived, [&] { return inner_.Archived(); });
  }

 private:
  ServiceRegistry& inner_;  // Borrowed from who decorates; outlives this.
  Policy& policy_;          // Borrowed likewise.
};

template <typename Policy>
class DecoratedResourceState final : public ResourceState {
 public:
  DecoratedResourceState(ResourceState& inner, Policy& policy) : inner_(inner), policy_(policy) {}

  Result<int64_t> Begin(const Epoch& epoch, const Resources& resources) override {
    return policy_.Call(Verb::kBegin, [&] { return inner_.Begin(epoch, resources); });
  }
  Status PutNodes(const Epoch& epoch, std::span<const Node> nodes) override {
    return policy_.Call(Verb::kPutNodes, [&] { return inner_.PutNodes(epoch, nodes); });
  }
  Status AddShare(const Epoch& epoch, const Share& share) override {
    return policy_.Call(Verb::kAddShare, [&] { return inner_.AddShare(epoch, share); });
  }
  Result<Present> UpdateShare(const Epoch& epoch, const ShareKey& key,
                              const ShareChange& change) override {
    return policy_.Call(Verb::kUpdateShare, [&] { return inner_.UpdateShare(epoch, key, change); });
  }
  Result<Present> MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag) override {
    return policy_.Call(Verb::kMarkShare, [&] { return inner_.MarkShare(epoch, key, flag); });
  }
  Result<Present> RemoveShare(const Epoch& epoch, const ShareKey& key) override {
    return policy_.Call(Verb::kRemoveShare, [&] { return inner_.RemoveShare(epoch, key); });
  }
  Status SetLoad(const Epoch& epoch, std::span<const Load> load) override {
    return policy_.Call(Verb::kSetLoad, [&] { return inner_.SetLoad(epoch, load); });
  }
  Result<Resources> Read() override {
    return policy_.Call(Verb::kRead, [&] { return inner_.Read(); });
  }
  Result<Node> Machine(std::string_view name) override {
    return policy_.Call(Verb::kMachine, [&] { return inner_.Machine(name); });
  }

 private:
  ResourceState& inner_;  // Borrowed from who decorates; outlives this.
  Policy& policy_;        // Borrowed likewise.
};

// All parts of `inner`, each through the policy; both outlive what is returned.
template <typename Policy>
Persistence Decorate(Persistence& inner, Policy& policy) {
  Persistence outer;
  outer.fencing = std::make_unique<DecoratedFencing<Policy>>(*inner.fencing, policy);
  outer.history = std::make_unique<DecoratedWorkHistory<Policy>>(*inner.history, policy);
  outer.services = std::make_unique<DecoratedServiceRegistry<Policy>>(*inner.services, policy);
  if (inner.resources != nullptr) {
    outer.resources = std::make_unique<DecoratedResourceState<Policy>>(*inner.resources, policy);
  }
  return outer;
}

}  // namespace sheaf::persistence
