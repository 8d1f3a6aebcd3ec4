// Bytes that batches keep alive together: shared buffers and dictionaries count once.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <unordered_set>

#include "sheaf/base/core/bytes.h"

namespace sheaf::store {

// Counts the batches that one partition keeps in memory. Slices of one table, and a dictionary
// that comes with every batch, are charged once and not once a batch.
//
// Owner: a partition. Threads: one at a time. Valid while every batch added is kept.
class HeldBytes {
 public:
  // What this batch adds: the buffers that no batch before it held.
  Bytes Add(const arrow::RecordBatch& batch);
  void Clear() { seen_.clear(); }

 private:
  int64_t AddArray(const arrow::ArrayData& data);
  std::unordered_set<uintptr_t> seen_;  // Addresses of buffers, whole ones.
};

}  // namespace sheaf::store
