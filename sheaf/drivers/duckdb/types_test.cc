// PLAN  every Arrow type in: equal when it comes back, or the change named here, or refused by name
//       · slices, nulls, nested, dictionaries that change from batch to batch
//       every DuckDB type out: Arrow, valid, or refused by column and type
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <gmock/gmock.h>

#include "sheaf/drivers/duckdb/tables_test.h"

namespace sheaf::duckdb {
namespace {

using testing::Answer;
using testing::Ask;
using testing::Column;
using ::testing::HasSubstr;
using testing::Json;
using testing::One;
using testing::Over;

struct Case {
  std::string name;
  std::shared_ptr<arrow::Array> array;
  std::string comes_back;  // The type it has then.
};

std::shared_ptr<arrow::Array> Dictionary() {
  return arrow::compute::DictionaryEncode(Json(arrow::utf8(), R"(["a", null, "b", "a"])"))
      .ValueOrDie()
      .make_array();
}

std::vector<Case> PlainCases() {
  using namespace arrow;  // NOLINT(google-build-using-namespace)
  const auto words = R"(["a", null, "longer than twelve bytes", ""])";
  std::vector<Case> cases = {
      {"bool", Json(boolean(), "[true, null, false, true, true, false, null, true, true]"), "bool"},
      {"utf8", Json(utf8(), words), "string"},
      {"large_utf8", Json(large_utf8(), words), "string"},
      {"utf8_view", Json(utf8_view(), words), "string"},
      {"binary", Json(binary(), words), "binary"},
      {"large_binary", Json(large_binary(), words), "binary"},
      {"binary_view", Json(binary_view(), words), "binary"},
      {"fixed_size_binary", Json(fixed_size_binary(2), R"(["aa", null, "bb", "cc"])"), "binary"},
      {"decimal32", Json(decimal32(5, 2), R"(["1.25", null, "-9.99"])"), "decimal128(5, 2)"},
      {"decimal64", Json(decimal64(15, 2), R"(["1.25", null, "-9.99"])"), "decimal128(15, 2)"},
      {"decimal128", Json(decimal128(38, 10), R"(["1.2500000000", null, "-7.0000000001"])"),
       "decimal128(38, 10)"},
      {"date32", Json(date32(), "[1, null, -3]"), "date32[day]"},
      {"date64", Json(date64(), "[86400000, null, 0]"), "date32[day]"},
      {"time32", Json(time32(TimeUnit::MILLI), "[1, null, 3]"), "time64[us]"},
      {"time64", Json(time64(TimeUnit::MICRO), "[1, null, 3]"), "time64[us]"},
      {"null", Json(null(), "[null, null, null]"), "int32"},
  };
  for (const auto& type : {int8(), int16(), int32(), int64(), uint8(), uint16(), uint32(), uint64(),
                           float32(), float64()}) {
    cases.push_back({type->ToString(), Json(type, "[1, null, 3, 100]"), type->ToString()});
  }
  cases.push_back({"uint64 max", Json(uint64(), "[18446744073709551615, null, 0]"), "uint64"});
  for (const auto unit : {TimeUnit::SECOND, TimeUnit::MILLI, TimeUnit::MICRO, TimeUnit::NANO}) {
    const auto type = timestamp(unit);
    cases.push_back({type->ToString(), Json(type, "[1, null, 86400]"), type->ToString()});
  }
  cases.push_back({"zoned", Json(timestamp(TimeUnit::MICRO, "Europe/Paris"), "[1, null, 86400]"),
                   "timestamp[us, tz=UTC]"});
  return cases;
}

std::vector<Case> NestedCases() {
  using namespace arrow;  // NOLINT(google-build-using-namespace)
  const auto pair = struct_({field("x", int32()), field("y", utf8())});
  return {
      {"list", Json(list(int32()), "[[1, null], null, [], [3], [4, 5]]"), "list<l: int32>"},
      {"large_list", Json(large_list(utf8()), R"([["x"], null, []])"), "list<l: string>"},
      {"list_view", Json(list_view(int32()), "[[1, 2], null, [3]]"), "list<l: int32>"},
      {"fixed_size_list", Json(fixed_size_list(int32(), 2), "[[1, 2], null, [3, 4], [5, 6]]"),
       "fixed_size_list<: int32>[2]"},
      {"struct", Json(pair, R"([{"x": 1, "y": "a"}, null, {"x": null, "y": "b"}, {"x": 7}])"),
       "struct<x: int32, y: string>"},
      {"map", Json(arrow::map(utf8(), int32()), R"([[["k", 1]], null, [], [["a", 2], ["b", 3]]])"),
       "map<string, int32>"},
      {"list of structs",
       Json(list(struct_({field("x", list(utf8()))})), R"([[{"x": ["a", null]}], null, []])"),
       "list<l: struct<x: list<l: string>>>"},
      {"dictionary", Dictionary(), "string"},
      {"run-end encoded",
       RunEndEncodedArray::Make(5, Json(int32(), "[2, 5]"), Json(int64(), "[7, null]"))
           .ValueOrDie(),
       "int64"},
  };
}

// Equal, perhaps after a cast to the type that came back.
bool SameValues(const arrow::Array& sent, const arrow::Array& back) {
  if (sent.Equals(back)) return true;
  const auto cast = arrow::compute::Cast(sent, back.type());
  return cast.ok() && (*cast)->Equals(back);
}

void ComesBack(const Case& c, const std::shared_ptr<arrow::Array>& array) {
  const auto answer = Ask("select c from t", {Over("t", {Column(array)})});
  ASSERT_TRUE(answer.ok()) << c.name << ": " << answer.error().message;
  const auto back = answer->column();
  ASSERT_TRUE(back->ValidateFull().ok()) << c.name;
  EXPECT_EQ(back->type()->ToString(), c.comes_back) << c.name;
  if (array->type_id() == arrow::Type::RUN_END_ENCODED || array->type_id() == arrow::Type::NA ||
      array->type_id() == arrow::Type::LIST_VIEW) {
    ASSERT_EQ(back->length(), array->length()) << c.name;
    for (int64_t i = 0; i < array->length(); ++i) {
      const auto sent = array->GetScalar(i).ValueOrDie()->ToString();
      EXPECT_THAT(sent, HasSubstr(back->GetScalar(i).ValueOrDie()->ToString().substr(0, 4)))
          << c.name << " " << i;
    }
    return;
  }
  EXPECT_TRUE(SameValues(*array, *back)) << c.name << "\n" << back->ToString();
}

class TypesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(arrow::compute::Initialize().ok()); }
};

TEST_F(TypesTest, PlainTypesComeBack) {
  for (const auto& c : PlainCases()) {
    ComesBack(c, c.array);
    ComesBack({c.name + " sliced", c.array, c.comes_back}, c.array->Slice(1, 2));
  }
}

TEST_F(TypesTest, NestedAndEncodedTypesComeBack) {
  for (const auto& c : NestedCases()) {
    ComesBack(c, c.array);
    ComesBack({c.name + " sliced", c.array, c.comes_back}, c.array->Slice(1));
  }
}

TEST_F(TypesTest, ChangesThatLoseSomethingAreTheKnownOnes) {
  using namespace arrow;  // NOLINT(google-build-using-namespace)
  const auto one = [](const std::shared_ptr<Array>& array) {
    return One("select c from t", {Over("t", {Column(array)})});
  };
  EXPECT_EQ(one(Json(timestamp(TimeUnit::NANO, "UTC"), "[1234567891]")),
            "1970-01-01 00:00:01.234567Z");  // Nanoseconds of zoned timestamps are cut.
  EXPECT_EQ(one(Json(duration(TimeUnit::MICRO), "[1500000]")), "0M0d1500000000ns");
  EXPECT_EQ(one(Json(month_day_nano_interval(), "[[1, 2, 3000]]")), "1M2d3000ns");
}

TEST_F(TypesTest, WhatCannotBeReadIsRefusedByName) {
  using namespace arrow;  // NOLINT(google-build-using-namespace)
  const std::vector<std::pair<std::shared_ptr<DataType>, std::string>> refused = {
      {decimal256(50, 2), "decimal256(50, 2)"},
      {float16(), "halffloat"},
      {dense_union({field("a", int32())}), "dense_union<a: int32=0>"},
      {sparse_union({field("a", int32())}), "sparse_union<a: int32=0>"},
      {struct_(FieldVector{}), "struct<>"},
      {list(struct_({field("deep", float16())})), "halffloat"},
      {dictionary(int32(), decimal256(40, 1)), "decimal256(40, 1)"}};
  for (const auto& [type, name] : refused) {
    const Table table{.name = "t", .schema = schema({field("ok", int32()), field("bad", type)})};
    const auto error = Ask("select ok from t", {table}).error();
    EXPECT_EQ(error.kind, Kind::kUnsupported);
    EXPECT_EQ(error.message, "input t, column bad: " + name + " cannot be read by SQL");
  }
  const Table empty{.name = "t", .schema = schema({})};
  EXPECT_EQ(Ask("select count(*) from t", {empty}).error().message, "input t has no columns");
}

TEST_F(TypesTest, DictionariesMayChangeFromBatchToBatch) {
  const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  const auto make = [&](const char* words) {
    return Column(std::make_shared<arrow::DictionaryArray>(
        type, Json(arrow::int32(), "[0, 1, null, 0]"), Json(arrow::utf8(), words)));
  };
  testing::Batches batches;
  for (int i = 0; i < 50; ++i) {
    batches.push_back(make(R"(["a", "b"])"));
    batches.push_back(make(R"(["z", "a"])"));
    batches.push_back(batches.front()->Slice(0, 0));
  }
  EXPECT_EQ(
      One("select string_agg(c || n, ' ' order by c) from (select c, count(*) n from t group by c)",
          {Over("t", batches)}),
      "a150 b50 z100");
}

TEST_F(TypesTest, LongNestedColumnsAreRightBeyondOneVector) {
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>());
  auto& words = static_cast<arrow::StringBuilder&>(*lists.value_builder());
  for (int i = 0; i < 5000; ++i) {
    if (i % 7 == 0) {
      ASSERT_TRUE(lists.AppendNull().ok());
      continue;
    }
    ASSERT_TRUE(lists.Append().ok());
    for (int k = 0; k < i % 4; ++k)
      ASSERT_TRUE(words.Append("value-" + std::to_string(i * k)).ok());
  }
  const auto array = lists.Finish().ValueOrDie();
  ComesBack({"lists", array, "list<l: string>"}, array);
  ComesBack({"lists sliced", array, "list<l: string>"}, array->Slice(2500));
}

TEST_F(TypesTest, ExtensionTypesAreReadAsTheirStorageOrBetter) {
  const auto schema = arrow::schema(
      {arrow::field("c", arrow::utf8(), true,
                    arrow::key_value_metadata({"ARROW:extension:name", "ARROW:extension:metadata"},
                                              {"example.unknown", "{}"}))});
  const auto batch = arrow::RecordBatch::Make(schema, 1, {Json(arrow::utf8(), R"(["x"])")});
  EXPECT_EQ(One("select c from t", {Over("t", {batch})}), "x");
}

TEST_F(TypesTest, EveryDuckDbTypeComesOutOrIsRefused) {
  const auto all = Ask("describe from test_all_types()").value();
  const auto names = all.column(0);
  int given = 0;
  for (int64_t i = 0; i < names->length(); ++i) {
    const auto name = names->GetScalar(i).ValueOrDie()->ToString();
    const auto answer = Ask("select " + Quoted(name) + " from test_all_types()");
    if (!answer.ok()) {
      const bool extreme = name == "hugeint" || name == "time" || name == "time_ns";
      EXPECT_EQ(answer.error().kind, extreme ? Kind::kFailed : Kind::kUnsupported) << name;
      EXPECT_THAT(answer.error().message, HasSubstr("column " + name + " of the result"));
      continue;
    }
    ++given;
    for (const auto& batch : answer->batches) EXPECT_TRUE(batch->ValidateFull().ok()) << name;
  }
  EXPECT_GE(given, 40);
}

TEST_F(TypesTest, ResultsWithoutAnArrowTypeAreRefusedByColumn) {
  const auto error = Ask("select 1 as a, [12::uhugeint] as b").error();
  EXPECT_EQ(error.kind, Kind::kUnsupported);
  EXPECT_EQ(error.message,
            "column b of the result: UHUGEINT has no Arrow type; cast it, to VARCHAR for instance");
  EXPECT_EQ(One("select 12::uhugeint::varchar"), "12");
}

TEST_F(TypesTest, ValuesThatDoNotFitAreRefusedByColumn) {
  EXPECT_EQ(One("select sum(c) from (values (9), (1)) v(c)"), "10");
  EXPECT_EQ(One("select 10000000000000000000000000000000000000::hugeint"),
            "1" + std::string(37, '0'));
  EXPECT_THAT(One("select 170141183460469231731687303715884105727::hugeint as big"),
              HasSubstr("column big of the result holds a value that decimal128(38, 0) cannot"));
  EXPECT_THAT(One("select [time '24:00:00'] as t"), HasSubstr("column t of the result"));
}

TEST_F(TypesTest, EnumsComeOutAsDictionaries) {
  const auto answer =
      Ask("select cast(c as enum('x', 'y')) as e from (values ('x'), ('y'), ('x')) v(c)");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->schema->field(0)->type()->id(), arrow::Type::DICTIONARY);
  EXPECT_EQ(answer->rows(), 3);
}

}  // namespace
}  // namespace sheaf::duckdb
