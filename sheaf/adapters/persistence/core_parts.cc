// The four interfaces over a CoreStore: each verb is one line to the core and one to its record.
#include "sheaf/adapters/persistence/core_store.h"
#include "sheaf/adapters/persistence/record.h"

namespace sheaf::persistence {
namespace {

using StorePtr = std::shared_ptr<CoreStore>;  // Shared by the parts of one Persistence.

class CoreFencing final : public Fencing {
 public:
  explicit CoreFencing(StorePtr store) : store_(std::move(store)) {}
  Result<Epoch> Acquire(std::string_view scope, std::string_view holder) override {
    return store_->Write([&](MemoryCore& core) { return core.Acquire(scope, holder); },
                         [&] { return RecordOfAcquire(scope, holder); });
  }
  Result<Epoch> Holder(std::string_view scope) override {
    return store_->Read([&](const MemoryCore& core) { return core.Holder(scope); });
  }
  Status Release(const Epoch& epoch) override {
    return store_->Write([&](MemoryCore& core) { return core.Release(epoch); },
                         [&] { return RecordOfRelease(epoch); });
  }

 private:
  const StorePtr store_;
};

class CoreHistory final : public WorkHistory {
 public:
  CoreHistory(StorePtr store, OffersSummaries summaries)
      : store_(std::move(store)), summaries_(summaries) {}

  Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works) override {
    return store_->Write([&](MemoryCore& core) { return core.Save(epoch, works); },
                         [&] { return RecordOfSave(epoch, works); });
  }
  Result<Work> Get(WorkType type, int64_t id) override {
    return store_->Read([&](const MemoryCore& core) { return core.GetWork(type, id); });
  }
  Result<std::vector<Work>> Newest(WorkType type, size_t n) override {
    return store_->Read([&](const MemoryCore& core) { return core.Newest(type, n); });
  }
  Result<Page<JobSummary>> Jobs(const SummaryQuery& query) override {
    SHEAF_TRY(Offered());
    return store_->Read([&](const MemoryCore& core) { return core.Jobs(query); });
  }
  Result<Page<ProcessSummary>> Processes(const SummaryQuery& query) override {
    SHEAF_TRY(Offered());
    return store_->Read([&](const MemoryCore& core) { return core.Processes(query); });
  }
  Result<Page<ReservationSummary>> Reservations(const SummaryQuery& query) override {
    SHEAF_TRY(Offered());
    return store_->Read([&](const MemoryCore& core) { return core.Reservations(query); });
  }
  Result<Restored> Restore(const Epoch& epoch, RestoreMode mode) override {
    std::vector<std::string> set_aside;
    if (mode == RestoreMode::kWarm && store_->recorder() != nullptr) {
      SHEAF_ASSIGN(set_aside, store_->recorder()->SetAside());
    }
    SHEAF_ASSIGN(Restored restored,
                 store_->Write([&](MemoryCore& core) { return core.Restore(epoch, mode); },
                               [&] { return RecordOfRestore(epoch, mode); }));
    restored.set_aside = std::move(set_aside);
    return restored;
  }
  Status Checkpoint(const Epoch& epoch, const LiveWork& live) override {
    return store_->Write([&](MemoryCore& core) { return core.Checkpoint(epoch, live); },
                         [&] { return RecordOfCheckpoint(epoch, live); });
  }
  Status Change(const Epoch& epoch, const ChangeSet& change) override {
    return store_->Write([&](MemoryCore& core) { return core.Change(epoch, change); },
                         [&] { return RecordOfChange(epoch, change); });
  }
  Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) override {
    return store_->Write([&](MemoryCore& core) { return core.Finish(epoch, work, leaving); },
                         [&] { return RecordOfFinish(epoch, work, leaving); });
  }

 private:
  Status Offered() const {
    if (summaries_ == OffersSummaries::kYes) return Done();
    return Fail(Kind::kUnsupported, "this back end keeps no summaries to query");
  }
  const StorePtr store_;
  const OffersSummaries summaries_;
};

class CoreRegistry final : public ServiceRegistry {
 public:
  explicit CoreRegistry(StorePtr store) : store_(std::move(store)) {}
  Access MayDo() const override { return Access::kReadWrite; }
  Status Store(const Epoch& epoch, const Registration& registration) override {
    return store_->Write([&](MemoryCore& core) { return core.Store(epoch, registration); },
                         [&] { return RecordOfStore(epoch, registration); });
  }
  Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) override {
    return store_->Write(
        [&](MemoryCore& core) { return core.UpdateSubmitted(epoch, id, submitted); },
        [&] { return RecordOfSubmitted(epoch, id, submitted); });
  }
  Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) override {
    return store_->Write([&](MemoryCore& core) { return core.UpdateState(epoch, id, state); },
                         [&] { return RecordOfState(epoch, id, state); });
  }
  Status Archive(const Epoch& epoch, const Registration& last) override {
    return store_->Write([&](MemoryCore& core) { return core.Archive(epoch, last); },
                         [&] { return RecordOfArchive(epoch, last); });
  }
  Result<Registration> Get(int64_t id) override {
    return store_->Read([&](const MemoryCore& core) { return core.GetRegistration(id); });
  }
  Result<std::vector<Registration>> Live() override {
    return store_->Read([](const MemoryCore& core) { return core.Live(); });
  }
  Result<std::vector<Registration>> Archived() override {
    return store_->Read([](const MemoryCore& core) { return core.Archived(); });
  }

 private:
  const StorePtr store_;
};

// Of a back end that writes nothing down: see OffersResources.
class CoreResources final : public ResourceState {
 public:
  explicit CoreResources(StorePtr store) : store_(std::move(store)) {}
  Result<int64_t> Begin(const Epoch& epoch, const Resources& resources) override {
    return Do([&](MemoryCore& core) { return core.Begin(epoch, resources); });
  }
  Status PutNodes(const Epoch& epoch, std::span<const Node> nodes) override {
    return Do([&](MemoryCore& core) { return core.PutNodes(epoch, nodes); });
  }
  Status AddShare(const Epoch& epoch, const Share& share) override {
    return Do([&](MemoryCore& core) { return core.AddShare(epoch, share); });
  }
  Result<Present> UpdateShare(const Epoch& epoch, const ShareKey& key,
                              const ShareChange& change) override {
    return Do([&](MemoryCore& core) { return core.UpdateShare(epoch, key, change); });
  }
  Result<Present> MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag) override {
    return Do([&](MemoryCore& core) { return core.MarkShare(epoch, key, flag); });
  }
  Result<Present> RemoveShare(const Epoch& epoch, const ShareKey& key) override {
    return Do([&](MemoryCore& core) { return core.RemoveShare(epoch, key); });
  }
  Status SetLoad(const Epoch& epoch, std::span<const Load> load) override {
    return Do([&](MemoryCore& core) { return core.SetLoad(epoch, load); });
  }
  Result<Resources> Read() override {
    return store_->Read([](const MemoryCore& core) { return Result<Resources>(core.Read()); });
  }
  Result<Node> Machine(std::string_view name) override {
    return store_->Read([&](const MemoryCore& core) { return core.Machine(name); });
  }

 private:
  template <typename Act>
  auto Do(Act act) -> decltype(act(std::declval<MemoryCore&>())) {
    SHEAF_CHECK(store_->recorder() == nullptr);
    return store_->Write(std::move(act), [] { return Json(); });
  }
  const StorePtr store_;
};

}  // namespace

Persistence MakeParts(std::shared_ptr<CoreStore> store, OffersSummaries summaries,
                      OffersResources resources) {
  Persistence parts;
  parts.fencing = std::make_unique<CoreFencing>(store);
  parts.history = std::make_unique<CoreHistory>(store, summaries);
  parts.services = std::make_unique<CoreRegistry>(store);
  if (resources == OffersResources::kYes) {
    parts.resources = std::make_unique<CoreResources>(store);
  }
  return parts;
}

}  // namespace sheaf::persistence
