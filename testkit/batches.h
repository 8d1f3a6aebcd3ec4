// Record batches whose rows say who they are, for tests that follow rows through the house.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace testkit {

// {"n": int64, "text": utf8}
std::shared_ptr<arrow::Schema> NumbersSchema();

// Rows first, first + 1, …; `text` is the number in words of `text_bytes` bytes.
std::shared_ptr<arrow::RecordBatch> Numbers(int64_t first, int64_t rows, int64_t text_bytes = 8);

// Column `n` of batches made by Numbers; -1 marks a row whose text does not fit its number.
std::vector<int64_t> NumbersOf(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);

// {"tag": dictionary<int32, utf8>, "n": int64}; each batch has the words `words`.
std::shared_ptr<arrow::Schema> TagsSchema();
std::shared_ptr<arrow::RecordBatch> Tags(int64_t first, int64_t rows,
                                         const std::vector<const char*>& words);

}  // namespace testkit
