// Record batches of every Arrow type, for tests of what crosses the wire.
#pragma once

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/core/core.h"

namespace sheaf::flight {

struct NamedBatches {
  std::string name;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
};

inline std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                              const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline std::shared_ptr<arrow::RecordBatch> OneColumn(const std::shared_ptr<arrow::Array>& array) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("c", array->type())}),
                                  array->length(), {array});
}

inline std::shared_ptr<arrow::Array> Words(const std::shared_ptr<arrow::DataType>& type,
                                           const std::vector<std::string>& words,
                                           const std::vector<int32_t>& indices) {
  arrow::StringBuilder dictionary;
  for (const auto& word : words) SHEAF_CHECK(dictionary.Append(word).ok());
  arrow::Int32Builder builder;
  for (const int32_t index : indices) {
    SHEAF_CHECK((index < 0 ? builder.AppendNull() : builder.Append(index)).ok());
  }
  return arrow::DictionaryArray::FromArrays(type, builder.Finish().ValueOrDie(),
                                            dictionary.Finish().ValueOrDie())
      .ValueOrDie();
}

using TypeAndJson = std::pair<std::shared_ptr<arrow::DataType>, std::string>;

inline std::vector<TypeAndJson> FlatTypes() {
  std::vector<TypeAndJson> types = {
      {arrow::null(), "[null, null, null]"},
      {arrow::boolean(), "[true, null, false, true, true, false, true, true, true]"},
      {arrow::float16(), "[1, null, 2.5]"},
      {arrow::decimal32(7, 2), R"(["1.25", null, "-99999.99"])"},
      {arrow::decimal64(15, 2), R"(["1.25", null, "-9999999999999.99"])"},
      {arrow::decimal128(20, 4), R"(["1.2500", null, "-1.0000"])"},
      {arrow::decimal256(60, 4), R"(["1.2500", null, "-123456789012345678901234567890.0000"])"},
      {arrow::date64(), "[86400000, null, 0]"},
      {arrow::timestamp(arrow::TimeUnit::NANO, "Europe/Berlin"), "[1, null, 1700000000000000]"},
      {arrow::day_time_interval(), "[[1, -600], null, [2, 0]]"},
      {arrow::month_day_nano_interval(), "[[1, -600, 7], null, [2, 0, 0]]"},
      {arrow::fixed_size_binary(3), R"(["abc", null, "xyz"])"},
  };
  const std::string numbers = "[1, null, 3, 4, 100, 0]";
  for (const auto& type :
       {arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64(), arrow::uint8(),
        arrow::uint16(), arrow::uint32(), arrow::uint64(), arrow::float32(), arrow::float64(),
        arrow::date32(), arrow::time32(arrow::TimeUnit::SECOND),
        arrow::time64(arrow::TimeUnit::NANO), arrow::timestamp(arrow::TimeUnit::MICRO),
        arrow::duration(arrow::TimeUnit::MILLI), arrow::month_interval()}) {
    types.emplace_back(type, numbers);
  }
  const std::string texts = R"(["", null, "abc", "a text of more than twelve bytes", "ü", "z"])";
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(), arrow::binary(),
                           arrow::large_binary(), arrow::binary_view()}) {
    types.emplace_back(type, texts);
  }
  return types;
}

inline std::vector<TypeAndJson> NestedTypes() {
  const auto item = arrow::field("item", arrow::int32());
  const arrow::FieldVector two = {arrow::field("i", arrow::int32()),
                                  arrow::field("s", arrow::utf8())};
  const auto views = arrow::map(arrow::utf8(), arrow::list(arrow::utf8_view()));
  const std::string lists = "[[1, 2], null, [], [3, null]]";
  return {
      {arrow::list(item), lists},
      {arrow::large_list(item), lists},
      {arrow::list_view(item), lists},
      {arrow::large_list_view(item), lists},
      {arrow::fixed_size_list(item, 2), "[[1, 2], null, [4, null]]"},
      {arrow::map(arrow::utf8(), arrow::int32()), R"([[["a", 1], ["b", null]], null, []])"},
      {arrow::struct_(two), R"([{"i": 1, "s": "a"}, null, {"i": null, "s": null}])"},
      {arrow::struct_(arrow::FieldVector()), "[{}, null, {}]"},
      {arrow::dense_union(two, {4, 7}), R"([[4, 1], [7, "a"], [4, null], [7, ""]])"},
      {arrow::sparse_union(two, {0, 1}), R"([[0, 1], [1, "a"], [0, null], [1, ""]])"},
      {arrow::list(arrow::struct_({arrow::field("m", views)})),
       R"([[{"m": [["k", ["v", null, "a value of more than twelve bytes"]]]}], null, []])"},
  };
}

inline void AddDictionaries(std::vector<NamedBatches>& all) {
  const auto plain = arrow::dictionary(arrow::int32(), arrow::utf8());
  const auto ordered = arrow::dictionary(arrow::int32(), arrow::utf8(), true);
  const auto batch = [&](const std::vector<std::string>& words, std::vector<int32_t> indices) {
    return OneColumn(Words(plain, words, indices));
  };
  all.push_back({"dictionary", {batch({"a", "b"}, {0, 1, -1, 0}), batch({"a", "b"}, {1, 1})}});
  all.push_back({"dictionary replaced",
                 {batch({"a", "b"}, {0, 1}), batch({"x"}, {0, -1, 0}), batch({"y", "z"}, {1})}});
  all.push_back({"dictionary grown", {batch({"a"}, {0}), batch({"a", "b"}, {0, 1})}});
  all.push_back({"dictionary empty", {batch({}, {-1, -1}), batch({"late"}, {0})}});
  all.push_back({"dictionary ordered", {OneColumn(Words(ordered, {"a", "b"}, {1, 0}))}});
  const auto inner = Words(plain, {"p", "q", "r"}, {0, 1, 2, -1});
  const auto offsets = FromJson(arrow::int32(), "[0, 2, 2, 4]");
  all.push_back({"list of dictionary",
                 {OneColumn(arrow::ListArray::FromArrays(*offsets, *inner).ValueOrDie())}});
  const auto nested_values = arrow::ListArray::FromArrays(*offsets, *inner).ValueOrDie();
  const auto nested =
      arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), nested_values->type()),
                                         FromJson(arrow::int8(), "[2, 0, null, 1]"), nested_values)
          .ValueOrDie();
  all.push_back({"dictionary of list of dictionary", {OneColumn(nested)}});
}

// Every type, nested ones, slices, dictionaries and their replacement, and batches of nothing.
inline std::vector<NamedBatches> EveryType() {
  std::vector<NamedBatches> all;
  for (const auto& types : {FlatTypes(), NestedTypes()}) {
    for (const auto& [type, json] : types) {
      const auto whole = OneColumn(FromJson(type, json));
      all.push_back({type->ToString(), {whole, whole->Slice(1), whole->Slice(0, 0), whole}});
    }
  }
  AddDictionaries(all);
  const auto runs = arrow::RunEndEncodedArray::Make(7, FromJson(arrow::int32(), "[2, 3, 7]"),
                                                    FromJson(arrow::utf8(), R"(["a", null, "b"])"))
                        .ValueOrDie();
  const auto run_batch = OneColumn(runs);
  all.push_back({"run_end_encoded", {run_batch, run_batch->Slice(1, 4)}});
  all.push_back(
      {"no columns",
       {arrow::RecordBatch::Make(arrow::schema(arrow::FieldVector()), 5, arrow::ArrayVector())}});
  all.push_back({"no rows", {OneColumn(FromJson(arrow::int32(), "[]"))}});
  return all;
}

}  // namespace sheaf::flight
