// PLAN  every kind of value as JSON and as text · nothing is lost of large numbers · what JSON has
//       no word for is null · values behind dictionaries and run ends are found

#include "sheaf/apps/sheaf/cells.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

std::string JsonOf(const arrow::Array& array) {
  std::string out;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (i > 0) out += " ";
    AppendJson(array, i, out);
  }
  return out;
}
std::string JsonOf(const std::shared_ptr<arrow::DataType>& type, const char* json) {
  return JsonOf(**arrow::json::ArrayFromJSONString(type, json));
}
std::string TextOf(const std::shared_ptr<arrow::DataType>& type, const char* json) {
  return CellText(**arrow::json::ArrayFromJSONString(type, json), 0).value_or("-");
}

TEST(CellsTest, NumbersAreExact) {
  EXPECT_EQ(JsonOf(arrow::uint64(), "[18446744073709551615, null]"), "18446744073709551615 null");
  EXPECT_EQ(JsonOf(arrow::int8(), "[-128]"), "-128");
  EXPECT_EQ(JsonOf(arrow::decimal128(38, 2), R"(["123456789012345678901234567890.12"])"),
            "123456789012345678901234567890.12");
  EXPECT_EQ(JsonOf(arrow::float64(), "[0.1, 1e300, 2]"), "0.1 1e+300 2");
  EXPECT_EQ(JsonOf(arrow::boolean(), "[true, false]"), "true false");
}

TEST(CellsTest, WhatJsonHasNoWordForIsNull) {
  EXPECT_EQ(JsonOf(arrow::float64(), "[NaN, Inf]"), "null null");
  EXPECT_EQ(TextOf(arrow::float64(), "[Inf]"), "inf");
  EXPECT_EQ(JsonOf(arrow::null(), "[null]"), "null");
}

TEST(CellsTest, TextAndBytes) {
  EXPECT_EQ(JsonOf(arrow::utf8(), R"(["a\"b\n", "Grüße"])"), R"("a\"b\n" "Grüße")");
  EXPECT_EQ(TextOf(arrow::utf8(), R"(["a\"b"])"), "a\"b");
  EXPECT_EQ(JsonOf(arrow::utf8_view(), R"(["longer than twelve bytes"])"),
            R"("longer than twelve bytes")");
  EXPECT_EQ(JsonOf(arrow::binary(), R"(["az"])"), R"("617a")");
  EXPECT_EQ(TextOf(arrow::utf8(), "[null]"), "-");
}

TEST(CellsTest, TimesAreIso) {
  EXPECT_EQ(JsonOf(arrow::date32(), "[20000]"), R"("2024-10-04")");
  EXPECT_EQ(JsonOf(arrow::timestamp(arrow::TimeUnit::SECOND), "[1700000000]"),
            R"("2023-11-14 22:13:20")");
  EXPECT_EQ(JsonOf(arrow::timestamp(arrow::TimeUnit::SECOND, "UTC"), "[1700000000]"),
            R"("2023-11-14 22:13:20Z")");
}

TEST(CellsTest, NestedValues) {
  EXPECT_EQ(JsonOf(arrow::list(arrow::int32()), "[[1, null], [], null]"), "[1,null] [] null");
  EXPECT_EQ(JsonOf(arrow::large_list_view(arrow::utf8()), R"([["a"]])"), R"(["a"])");
  EXPECT_EQ(JsonOf(arrow::fixed_size_list(arrow::int8(), 2), "[[1, 2]]"), "[1,2]");
  EXPECT_EQ(
      JsonOf(arrow::struct_({arrow::field("x", arrow::int8()), arrow::field("y", arrow::utf8())}),
             R"([{"x": 1, "y": "a"}, null])"),
      R"({"x":1,"y":"a"} null)");
  EXPECT_EQ(JsonOf(arrow::map(arrow::utf8(), arrow::int8()), R"([[["a", 1]]])"), R"({"a":1})");
  EXPECT_EQ(JsonOf(arrow::map(arrow::int8(), arrow::int8()), "[[[1, 2]]]"), "[[1,2]]");
  const auto either = {arrow::field("i", arrow::int64()), arrow::field("s", arrow::utf8())};
  EXPECT_EQ(JsonOf(arrow::dense_union(either), R"([[0, 7], [1, "seven"]])"), R"(7 "seven")");
  EXPECT_EQ(JsonOf(arrow::sparse_union(either), R"([[1, "seven"], [0, null]])"), R"("seven" null)");
}

TEST(CellsTest, SlicedNestedValuesAreTheirOwn) {
  const auto array = *arrow::json::ArrayFromJSONString(arrow::list(arrow::int32()), "[[1], [2]]");
  EXPECT_EQ(JsonOf(*array->Slice(1)), "[2]");
  const auto type = arrow::struct_({arrow::field("x", arrow::int8())});
  const auto structs = *arrow::json::ArrayFromJSONString(type, R"([{"x": 1}, {"x": 2}])");
  EXPECT_EQ(JsonOf(*structs->Slice(1)), R"({"x":2})");
}

TEST(CellsTest, ValuesBehindDictionariesAndRunEnds) {
  EXPECT_EQ(JsonOf(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["a", null, "b"])"),
            R"("a" null "b")");
  const auto ends = *arrow::json::ArrayFromJSONString(arrow::int32(), "[2, 3]");
  const auto values = *arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a", null])");
  const auto encoded = *arrow::RunEndEncodedArray::Make(3, ends, values);
  EXPECT_EQ(JsonOf(*encoded), R"("a" "a" null)");
  EXPECT_EQ(JsonOf(*encoded->Slice(1)), R"("a" null)");
}

}  // namespace
}  // namespace sheaf::app
