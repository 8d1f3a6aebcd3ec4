#include "bench/batches.h"

#include <arrow/api.h>

#include "bench/measure.h"

namespace bench {

std::shared_ptr<arrow::Schema> NumbersSchema() {
  return arrow::schema(
      {arrow::field("a", arrow::int64(), false), arrow::field("b", arrow::int64(), false),
       arrow::field("c", arrow::int64(), false), arrow::field("d", arrow::int64(), false)});
}

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t number, int64_t rows) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int64_t column = 0; column < 4; ++column) {
    auto buffer = std::shared_ptr<arrow::Buffer>(arrow::AllocateBuffer(rows * 8).ValueOrDie());
    auto* values = reinterpret_cast<int64_t*>(buffer->mutable_data());
    for (int64_t row = 0; row < rows; ++row) values[row] = (number * rows + row) * (column + 1);
    columns.push_back(std::make_shared<arrow::Int64Array>(rows, std::move(buffer)));
  }
  return arrow::RecordBatch::Make(NumbersSchema(), rows, std::move(columns));
}

std::vector<std::shared_ptr<arrow::RecordBatch>> MakeBatches(int64_t count) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int64_t i = 0; i < count; ++i) batches.push_back(Numbers(i));
  return batches;
}

uint64_t Checksum(uint64_t sum, const arrow::RecordBatch& batch) {
  sum = Mix(sum, static_cast<uint64_t>(batch.num_rows()));
  for (const auto& column : batch.columns()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*column);
    sum = Mix(sum, static_cast<uint64_t>(values.Value(0)));
    sum = Mix(sum, static_cast<uint64_t>(values.Value(values.length() - 1)));
  }
  return sum;
}

}  // namespace bench
