// The catalog of a node alone: a million small records, found by hash and listed in order.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "sheaf/adapters/cluster/schemas.h"
#include "sheaf/base/async/mutex.h"
#include "sheaf/ports/cluster/cluster.h"

namespace sheaf::cluster {

// One allocation a path: the fixed part, the key, and the identity if there is one.
struct CatalogRecord;
struct FreeRecord {
  void operator()(CatalogRecord* record) const;
};
using CatalogRecordPtr = std::unique_ptr<CatalogRecord, FreeRecord>;

// Owner: a cluster. Threads: any. Blocking: short locks; a lookup takes one of 64, a list and a
// write the order's own.
class MemoryCatalog final : public Catalog {
 public:
  // `written` gives the next revision; it is called once a write, after it can be seen.
  MemoryCatalog(NodeId self, size_t entries_max, std::function<Revision()> written);
  ~MemoryCatalog() override;

  Result<Revision> Commit(const Path& path, CatalogEntry entry) override;
  Result<Revision> Drop(const Path& path, uint64_t generation) override;
  std::optional<CatalogEntry> Lookup(const Path& path) const override;
  std::vector<std::pair<Path, CatalogEntry>> List(const Path& prefix, const Path& after,
                                                  size_t limit) const override;
  std::vector<NodeId> Replicas(const Path& path) const override;
  size_t size() const override { return size_.load(std::memory_order_relaxed); }

 private:
  struct ByKey {
    using is_transparent = void;
    bool operator()(const CatalogRecordPtr& a, const CatalogRecordPtr& b) const;
    bool operator()(const CatalogRecordPtr& a, std::string_view b) const;
    bool operator()(std::string_view a, const CatalogRecordPtr& b) const;
  };
  // Open addressing with linear probing; removal shifts back, so there are no tombstones.
  struct Slot {
    CatalogRecord* record = nullptr;  // Borrowed from `order_`; nullptr = free.
    size_t hash = 0;                  // Here too, so that another's record is not even touched.
  };
  struct alignas(64) Shard {
    mutable Mutex mutex;
    std::vector<Slot> slots SHEAF_GUARDED_BY(mutex);
    size_t used SHEAF_GUARDED_BY(mutex) = 0;

    Slot* Find(size_t hash, std::string_view key) SHEAF_REQUIRES(mutex);
    void Put(CatalogRecord* record) SHEAF_REQUIRES(mutex);
    void Remove(CatalogRecord* record) SHEAF_REQUIRES(mutex);
    void Grow() SHEAF_REQUIRES(mutex);
  };
  static constexpr size_t kShards = 64;
  Shard& ShardOf(size_t hash) const { return shards_[(hash >> 48) % kShards]; }

  const NodeId self_;
  const size_t entries_max_;
  const std::function<Revision()> written_;
  Schemas schemas_;
  std::atomic<size_t> size_{0};
  mutable std::array<Shard, kShards> shards_;  // Taken after `order_mutex_`.
  mutable Mutex order_mutex_;
  std::set<CatalogRecordPtr, ByKey> order_ SHEAF_GUARDED_BY(order_mutex_);
};

}  // namespace sheaf::cluster
