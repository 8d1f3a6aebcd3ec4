// Fencing and WorkHistory over any SQL store; see sql_store.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/base/async/mutex.h"

namespace sheaf::persistence {

using SqlStorePtr = std::shared_ptr<SqlStore>;  // Shared by the parts of one Persistence.

class SqlFencing final : public Fencing {
 public:
  explicit SqlFencing(SqlStorePtr store) : store_(std::move(store)) {}
  Result<Epoch> Acquire(std::string_view scope, std::string_view holder) override;
  Result<Epoch> Holder(std::string_view scope) override;
  Status Release(const Epoch& epoch) override;

 private:
  const SqlStorePtr store_;
};

class SqlHistory final : public WorkHistory {
 public:
  SqlHistory(SqlStorePtr store, CheckpointLimits limits,
             std::function<void(const std::string&)> compact)
      : store_(std::move(store)), limits_(limits), compact_(std::move(compact)) {}

  Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works) override;
  Result<Work> Get(WorkType type, int64_t id) override;
  Result<std::vector<Work>> Newest(WorkType type, size_t n) override;
  Result<Page<JobSummary>> Jobs(const SummaryQuery& query) override;
  Result<Page<ProcessSummary>> Processes(const SummaryQuery& query) override;
  Result<Page<ReservationSummary>> Reservations(const SummaryQuery& query) override;
  Result<Restored> Restore(const Epoch& epoch, RestoreMode mode) override;
  Status Checkpoint(const Epoch& epoch, const LiveWork& live) override;
  Status Change(const Epoch& epoch, const ChangeSet& change) override;
  Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) override;

 private:
  // Counts what a scope's chain grew, and asks for a compaction when it is long.
  void Grown(const std::string& scope, const ChangeSet& change);

  const SqlStorePtr store_;
  const CheckpointLimits limits_;
  const std::function<void(const std::string&)> compact_;
  Mutex mutex_;
  std::map<std::string, size_t> grown_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::persistence
