#include "sheaf/services/files/bounded_pool.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace sheaf::files {
namespace {

constexpr size_t kDictionariesMax = 256;

class PinnedBuffer final : public arrow::Buffer {
 public:
  PinnedBuffer(std::shared_ptr<arrow::Buffer> inner, std::shared_ptr<BoundedPool> pool)
      : Buffer(inner->data(), inner->size()), pool_(std::move(pool)) {
    parent_ = std::move(inner);
  }
  ~PinnedBuffer() override { parent_.reset(); }  // Before the pool it is freed into.

 private:
  const std::shared_ptr<BoundedPool> pool_;  // Shared: the last buffer ends it.
};

}  // namespace

arrow::Status BoundedPool::Take(int64_t size) {
  const int64_t live = live_.fetch_add(size, std::memory_order_relaxed) + size;
  const bool too_much = live - floor_.load(std::memory_order_relaxed) > growth_max_;
  if (too_much || (account_ != nullptr && !account_->TryCharge({size}))) {
    live_.fetch_sub(size, std::memory_order_relaxed);
    const std::string limit = too_much
                                  ? "reading one batch may take " + core::ToText(Bytes{growth_max_})
                                  : std::string("the memory of this node is used up");
    return arrow::Status::OutOfMemory("needs ", core::ToText(Bytes{size}), " more; ", limit);
  }
  if (account_ != nullptr) charged_.fetch_add(size, std::memory_order_relaxed);
  total_.fetch_add(size, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  int64_t peak = peak_.load(std::memory_order_relaxed);
  while (live > peak && !peak_.compare_exchange_weak(peak, live)) {
  }
  return arrow::Status::OK();
}

void BoundedPool::GiveBack(int64_t size) {
  const int64_t live = live_.fetch_sub(size, std::memory_order_relaxed) - size;
  int64_t floor = floor_.load(std::memory_order_relaxed);
  while (floor > live && !floor_.compare_exchange_weak(floor, live)) {
  }
  int64_t charged = charged_.load(std::memory_order_relaxed);
  int64_t part = 0;
  do {
    part = std::min(size, charged);
    if (part == 0) return;
  } while (!charged_.compare_exchange_weak(charged, charged - part));
  account_->Release({part});
}

void BoundedPool::Settle() {
  floor_.store(live_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  const int64_t charged = charged_.exchange(0);
  if (charged > 0) account_->Release({charged});
}

arrow::Status BoundedPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  if (size < 0) return arrow::Status::Invalid("negative size");
  ARROW_RETURN_NOT_OK(Take(size));
  arrow::Status status = base_->Allocate(size, alignment, out);
  if (!status.ok()) GiveBack(size);
  return status;
}

arrow::Status BoundedPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                      uint8_t** ptr) {
  if (new_size < 0) return arrow::Status::Invalid("negative size");
  ARROW_RETURN_NOT_OK(Take(new_size));  // Both live while the bytes are copied.
  arrow::Status status = base_->Reallocate(old_size, new_size, alignment, ptr);
  GiveBack(status.ok() ? old_size : new_size);
  return status;
}

void BoundedPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  base_->Free(buffer, size, alignment);
  GiveBack(size);
}

std::shared_ptr<arrow::ArrayData> Pinner::PinDictionary(const Data& dictionary) {
  const auto known = dictionaries_.find(dictionary.get());
  if (known != dictionaries_.end()) return known->second.second;
  if (dictionaries_.size() >= kDictionariesMax) dictionaries_.clear();
  Data pinned = PinData(*dictionary);
  dictionaries_.emplace(dictionary.get(), std::pair(dictionary, pinned));
  return pinned;
}

std::shared_ptr<arrow::ArrayData> Pinner::PinData(const arrow::ArrayData& data) {
  auto pinned = std::make_shared<arrow::ArrayData>(data);
  for (auto& buffer : pinned->buffers) {
    if (buffer != nullptr) buffer = std::make_shared<PinnedBuffer>(std::move(buffer), pool_);
  }
  for (auto& child : pinned->child_data) child = PinData(*child);
  if (pinned->dictionary != nullptr) pinned->dictionary = PinDictionary(pinned->dictionary);
  return pinned;
}

Batch Pinner::Pin(const Batch& batch) {
  std::vector<Data> columns;
  columns.reserve(static_cast<size_t>(batch->num_columns()));
  for (int n = 0; n < batch->num_columns(); ++n) columns.push_back(PinData(*batch->column_data(n)));
  return arrow::RecordBatch::Make(batch->schema(), batch->num_rows(), std::move(columns));
}

}  // namespace sheaf::files
