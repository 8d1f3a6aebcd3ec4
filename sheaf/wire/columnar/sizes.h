// One walk over a batch: what its rows need, and what IPC would make of them. Tried with Arrow 26:
// the tests compare every type with what IPC really writes.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>

namespace sheaf::columnar {

struct Sizes {
  int64_t rows_bytes = 0;        // Needed by the rows, dictionaries apart.
  int64_t dictionary_bytes = 0;  // Each shared dictionary once.
  int64_t view_bytes = 0;        // Of rows_bytes: data behind string and binary views.
  int64_t view_bytes_whole = 0;  // The buffers behind those views, whole, as IPC writes them.
  int64_t idle_bytes = 0;        // Offsets of arrays without rows, which IPC writes nevertheless.
  int64_t nodes = 0;             // Arrays, nested ones too.
  int64_t buffers = 0;
  bool loose = false;  // List views or dense unions: IPC may write children whole.

  // True when Trim may make the message smaller.
  bool wasteful() const { return loose || idle_bytes > 0 || view_bytes < view_bytes_whole; }
  // No IPC message of this batch is larger, unless it is loose: padding and metadata counted
  // generously.
  int64_t message_bytes_most() const {
    constexpr int64_t kMetadata = 1024, kNode = 16, kBuffer = 16 + 64;
    return rows_bytes - view_bytes + view_bytes_whole + idle_bytes + kMetadata + nodes * kNode +
           buffers * kBuffer;
  }
};

// Arrays must be valid: offsets are believed.
Sizes Measure(const arrow::RecordBatch& batch);
Sizes Measure(const arrow::ArrayData& array);

}  // namespace sheaf::columnar
