#include "sheaf/ports/flights/contract/every_type.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace sheaf::flights::contract {
namespace {

struct Sample {
  std::shared_ptr<arrow::DataType> type;
  const char* json;
};

std::vector<Sample> Numbers() {
  return {
      {arrow::null(), "[null, null]"},
      {arrow::boolean(), "[true, null, false]"},
      {arrow::int8(), "[-128, null, 127]"},
      {arrow::int16(), "[-32768, null, 32767]"},
      {arrow::int32(), "[-2147483648, null, 2147483647]"},
      {arrow::int64(), "[-9223372036854775808, null, 9223372036854775807]"},
      {arrow::uint8(), "[0, null, 255]"},
      {arrow::uint16(), "[0, null, 65535]"},
      {arrow::uint32(), "[0, null, 4294967295]"},
      {arrow::uint64(), "[0, null, 18446744073709551615]"},
      {arrow::float16(), "[0.5, null, -2]"},
      {arrow::float32(), "[0.5, null, -2]"},
      {arrow::float64(), "[1e300, null, -0.1]"},
      {arrow::decimal32(9, 2), R"(["1234567.89", null, "-0.01"])"},
      {arrow::decimal64(18, 4), R"(["12345678901234.5678", null, "-0.0001"])"},
      {arrow::decimal128(38, 10), R"(["1234567890123456789.0123456789", null, "0.0000000001"])"},
      {arrow::decimal256(76, 5), R"(["123456789012345678901234567890.12345", null, "0.00001"])"}};
}

std::vector<Sample> Times() {
  return {{arrow::date32(), "[0, null, 20000]"},
          {arrow::date64(), "[0, null, 86400000]"},
          {arrow::time32(arrow::TimeUnit::MILLI), "[0, null, 86399999]"},
          {arrow::time64(arrow::TimeUnit::NANO), "[0, null, 86399999999999]"},
          {arrow::timestamp(arrow::TimeUnit::MICRO), "[0, null, 1700000000000000]"},
          {arrow::timestamp(arrow::TimeUnit::NANO, "Europe/Berlin"), "[0, null, 1700000000]"},
          {arrow::duration(arrow::TimeUnit::SECOND), "[0, null, -5]"},
          {arrow::month_interval(), "[0, null, 13]"},
          {arrow::day_time_interval(), "[[1, 500], null]"},
          {arrow::month_day_nano_interval(), "[[1, 2, 3], null]"}};
}

std::vector<Sample> Texts() {
  constexpr const char* kWords =
      R"(["", null, "Grüße", "a text that is longer than twelve bytes"])";
  return {{arrow::utf8(), kWords},
          {arrow::large_utf8(), kWords},
          {arrow::utf8_view(), kWords},
          {arrow::binary(), kWords},
          {arrow::large_binary(), kWords},
          {arrow::binary_view(), kWords},
          {arrow::fixed_size_binary(3), R"(["abc", null, "xyz"])"},
          {arrow::dictionary(arrow::int16(), arrow::utf8()), R"(["a", null, "b", "a"])"},
          {arrow::dictionary(arrow::int32(), arrow::large_utf8(), /*ordered=*/true),
           R"(["a", null, "b", "a"])"}};
}

std::vector<Sample> Nested() {
  const auto item = arrow::utf8();
  const auto pair = arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("y", item)});
  return {{arrow::list(item), R"([["a", null], null, []])"},
          {arrow::large_list(item), R"([["a", null], null, []])"},
          {arrow::list_view(item), R"([["a", null], null, []])"},
          {arrow::large_list_view(item), R"([["a", null], null, []])"},
          {arrow::fixed_size_list(arrow::int64(), 2), "[[1, 2], null, [3, null]]"},
          {pair, R"([{"x": 1, "y": "a"}, null, {"x": null, "y": ""}])"},
          {arrow::map(arrow::utf8(), arrow::int64()), R"([[["a", 1], ["b", null]], null, []])"},
          {arrow::sparse_union({arrow::field("i", arrow::int64()), arrow::field("s", item)}),
           R"([[0, 7], [1, "seven"], [0, null]])"},
          {arrow::dense_union({arrow::field("i", arrow::int64()), arrow::field("s", item)}),
           R"([[0, 7], [1, "seven"], [0, null]])"},
          {arrow::list(pair), R"([[{"x": 1, "y": "a"}, null], [], null])"},
          {arrow::list(arrow::dictionary(arrow::int8(), item)), R"([["a", "a", null], null])"}};
}

Batch OneColumn(const std::shared_ptr<arrow::Array>& array, bool metadata) {
  auto field = arrow::field("v", array->type());
  if (metadata) field = field->WithMetadata(arrow::key_value_metadata({"unit"}, {"m"}));
  return arrow::RecordBatch::Make(arrow::schema({field}), array->length(), {array});
}

}  // namespace

std::vector<TypedBatch> EveryType() {
  std::vector<TypedBatch> batches;
  for (const auto& samples : {Numbers(), Times(), Texts(), Nested()}) {
    for (const Sample& sample : samples) {
      auto array = arrow::json::ArrayFromJSONString(sample.type, sample.json);
      EXPECT_TRUE(array.ok()) << sample.type->ToString() << ": " << array.status();
      if (array.ok()) batches.push_back({sample.type->ToString(), OneColumn(*array, false)});
    }
  }
  const auto ends = *arrow::json::ArrayFromJSONString(arrow::int32(), "[2, 5]");
  const auto values = *arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a", null])");
  const auto encoded = *arrow::RunEndEncodedArray::Make(5, ends, values);
  batches.push_back({encoded->type()->ToString(), OneColumn(encoded, false)});
  batches.push_back({"with field metadata", OneColumn(values, true)});
  return batches;
}

}  // namespace sheaf::flights::contract
