// Memory for reading one file: what a lying file may ask for has an end.
#pragma once

#include <arrow/memory_pool.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {

// A memory pool that refuses to grow by more than its limit between two batches, and charges
// that growth to an account. What was handed over (Settle) is the receiver's to count.
//
// Owner: shared by the reader and by every buffer it gave away (see Pinner). Threads: any.
class BoundedPool final : public arrow::MemoryPool {
 public:
  BoundedPool(std::shared_ptr<Account> account, Bytes growth_max)
      : account_(std::move(account)), growth_max_(growth_max.count) {}
  ~BoundedPool() override { Settle(); }

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  int64_t bytes_allocated() const override { return live_.load(std::memory_order_relaxed); }
  int64_t max_memory() const override { return peak_.load(std::memory_order_relaxed); }
  int64_t total_bytes_allocated() const override { return total_.load(); }
  int64_t num_allocations() const override { return count_.load(); }
  std::string backend_name() const override { return base_->backend_name(); }

  // Everything that lives now has been handed over: growth is counted from here.
  void Settle();

 private:
  arrow::Status Take(int64_t size);
  void GiveBack(int64_t size);

  arrow::MemoryPool* const base_ = arrow::default_memory_pool();
  const std::shared_ptr<Account> account_;  // Shared: charges outlive the run. May be null.
  const int64_t growth_max_;
  std::atomic<int64_t> live_{0}, peak_{0}, total_{0}, count_{0};
  std::atomic<int64_t> floor_{0};    // Of live_, what was there at the last Settle.
  std::atomic<int64_t> charged_{0};  // In the account now.
};

// Ties every buffer of a batch to the pool it came from, so that a batch may outlive its reader.
//
// Owner: one reader. Threads: one at a time.
class Pinner {
 public:
  explicit Pinner(std::shared_ptr<BoundedPool> pool) : pool_(std::move(pool)) {}
  Batch Pin(const Batch& batch);

 private:
  using Data = std::shared_ptr<arrow::ArrayData>;
  Data PinData(const arrow::ArrayData& data);
  Data PinDictionary(const Data& dictionary);

  const std::shared_ptr<BoundedPool> pool_;
  // The same dictionary stays the same object, or no two batches could be merged.
  std::map<const arrow::ArrayData*, std::pair<Data, Data>> dictionaries_;
};

}  // namespace sheaf::files
