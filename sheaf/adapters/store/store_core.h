// The store behind its door.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sheaf/adapters/store/catalog.h"
#include "sheaf/adapters/store/committer.h"
#include "sheaf/adapters/store/context.h"
#include "sheaf/adapters/store/disk_index.h"
#include "sheaf/adapters/store/local_store.h"
#include "sheaf/adapters/store/pressure.h"

namespace sheaf::store {

// Owner: main. Writers die before it; handles and readers may outlive it.
// Threads, blocking, errors: as Store.
class LocalStore final : public Store {
 public:
  static Result<std::unique_ptr<Store>> Open(LocalStoreOptions options);
  ~LocalStore() override;
  LocalStore(const LocalStore&) = delete;
  LocalStore& operator=(const LocalStore&) = delete;

  Result<std::unique_ptr<FlightWriter>> OpenWriter(WriterOptions options) override;
  std::optional<Found> Lookup(const Path& path) override;
  Result<FlightPtr> LookupGeneration(const Path& path, uint64_t generation) override;
  std::vector<Found> List(const Path& prefix, const Path& after, size_t limit) override;
  Status Drop(const Path& path, std::optional<uint64_t> generation) override;
  Result<RecordPtr> Pin(const Path& path, std::optional<uint64_t> generation,
                        bool pinned) override;
  Result<RecordPtr> Touch(const Path& path, std::optional<uint64_t> generation,
                          std::optional<int64_t> ttl_s) override;
  void Maintain() override;
  void MarkRead(uint64_t generation) override;
  Usage usage() const override;
  void Listen(std::function<void(const Change&)> listener) override;

  // For writers.
  Context& context() { return *context_; }
  Pressure& pressure() { return pressure_; }
  Result<std::vector<Result<RecordPtr>>> Commit(const BodyPtr& body,
                                                const std::vector<CommitTarget>& targets,
                                                const std::function<Status()>& fence);

 private:
  LocalStore(ContextPtr context, std::unique_ptr<files::DirectoryLock> lock,
             std::unique_ptr<DiskIndex> index, std::chrono::milliseconds replaced_ms);
  Status Start();
  Result<uint64_t> NextGeneration();
  // Changes the record of a path that is there, at `generation` if that is given.
  Result<RecordPtr> Amend(const Path& path, std::optional<uint64_t> generation,
                          const std::function<void(FlightRecord&)>& change);
  void RemoveExpired();
  void UnmapIdle();
  void Evict(const std::vector<uint64_t>& generations);
  void EvictOne(Draft& draft, uint64_t generation) const;

  const ContextPtr context_;  // Shared with bodies that live on.
  const std::unique_ptr<files::DirectoryLock> lock_;
  const std::unique_ptr<DiskIndex> index_;  // Null without a disk.
  Catalog catalog_;
  Committer committer_;
  Pressure pressure_;
  Mutex generation_mutex_;
  uint64_t next_generation_ SHEAF_GUARDED_BY(generation_mutex_) = 0;
  uint64_t generations_end_ SHEAF_GUARDED_BY(generation_mutex_) = 0;
};

}  // namespace sheaf::store
