#include "testkit/batches.h"

#include <arrow/api.h>

#include <algorithm>
#include <string>

#include "sheaf/base/core/check.h"

namespace testkit {
namespace {

std::string TextOf(int64_t number, int64_t bytes) {
  std::string text = std::to_string(number) + ":";
  text.resize(static_cast<size_t>(std::max<int64_t>(bytes, static_cast<int64_t>(text.size()))),
              static_cast<char>('a' + number % 26));
  return text;
}

template <typename Builder>
std::shared_ptr<arrow::Array> Finish(Builder& builder) {
  return builder.Finish().ValueOrDie();
}

}  // namespace

std::shared_ptr<arrow::Schema> NumbersSchema() {
  static const auto schema =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("text", arrow::utf8())});
  return schema;
}

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t first, int64_t rows, int64_t text_bytes) {
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  for (int64_t n = first; n < first + rows; ++n) {
    SHEAF_CHECK(numbers.Append(n).ok());
    SHEAF_CHECK(texts.Append(TextOf(n, text_bytes)).ok());
  }
  return arrow::RecordBatch::Make(NumbersSchema(), rows, {Finish(numbers), Finish(texts)});
}

std::vector<int64_t> NumbersOf(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  std::vector<int64_t> all;
  for (const auto& batch : batches) {
    const auto& numbers = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("n"));
    const auto texts = batch->GetColumnByName("text");
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const int64_t n = numbers.Value(row);
      bool fits = true;
      if (texts != nullptr) {
        const auto text = static_cast<const arrow::StringArray&>(*texts).GetView(row);
        fits = text == TextOf(n, static_cast<int64_t>(text.size()));
      }
      all.push_back(fits ? n : -1);
    }
  }
  return all;
}

std::shared_ptr<arrow::Schema> TagsSchema() {
  static const auto schema =
      arrow::schema({arrow::field("tag", arrow::dictionary(arrow::int32(), arrow::utf8())),
                     arrow::field("n", arrow::int64())});
  return schema;
}

std::shared_ptr<arrow::RecordBatch> Tags(int64_t first, int64_t rows,
                                         const std::vector<const char*>& words) {
  arrow::StringBuilder dictionary;
  for (const char* word : words) SHEAF_CHECK(dictionary.Append(word).ok());
  arrow::Int32Builder indices;
  arrow::Int64Builder numbers;
  for (int64_t n = first; n < first + rows; ++n) {
    SHEAF_CHECK(indices.Append(static_cast<int32_t>(n % static_cast<int64_t>(words.size()))).ok());
    SHEAF_CHECK(numbers.Append(n).ok());
  }
  auto tags = arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int32(), arrow::utf8()),
                                                 Finish(indices), Finish(dictionary));
  return arrow::RecordBatch::Make(TagsSchema(), rows, {tags.ValueOrDie(), Finish(numbers)});
}

}  // namespace testkit
