#include "sheaf/adapters/store/held_bytes.h"

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>

namespace sheaf::store {

int64_t HeldBytes::AddArray(const arrow::ArrayData& data) {
  int64_t added = 0;
  for (const auto& buffer : data.buffers) {
    if (buffer == nullptr) continue;
    const arrow::Buffer* root = buffer.get();
    while (root->parent() != nullptr) root = root->parent().get();
    if (root->capacity() > 0 && seen_.insert(root->address()).second) added += root->capacity();
  }
  for (const auto& child : data.child_data) {
    if (child != nullptr) added += AddArray(*child);
  }
  if (data.dictionary != nullptr) added += AddArray(*data.dictionary);
  return added;
}

Bytes HeldBytes::Add(const arrow::RecordBatch& batch) {
  Bytes added;
  for (int i = 0; i < batch.num_columns(); ++i) added.count += AddArray(*batch.column_data(i));
  return added;
}

}  // namespace sheaf::store
