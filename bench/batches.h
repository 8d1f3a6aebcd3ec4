// The data that both sides serve: the same numbers wherever they are made.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace bench {

inline constexpr int64_t kBatchRows = 65'536;
inline constexpr int64_t kBatchBytes = kBatchRows * 4 * 8;  // 2 MiB: four columns of int64.

std::shared_ptr<arrow::Schema> NumbersSchema();
std::shared_ptr<arrow::RecordBatch> Numbers(int64_t number, int64_t rows = kBatchRows);
std::vector<std::shared_ptr<arrow::RecordBatch>> MakeBatches(int64_t count);
// Some of its values, so that the whole stream must have come, in its order.
uint64_t Checksum(uint64_t sum, const arrow::RecordBatch& batch);

}  // namespace bench
