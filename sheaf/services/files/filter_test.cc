// PLAN  every operator on every type gives what arrow::compute gives for the typed literal, in
//       every format, on columns asked for or not · values that do not fit are named · integers
//       are exact to 64 bits, decimals exactly or not at all · NaN and null are true of nothing
//       they should not be · both zeros are one · row groups are left out only when no row of
//       theirs could stay
#include "sheaf/services/files/filter.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/json/from_string.h>

#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "sheaf/services/files/fixture_test.h"
#include "testkit/seed.h"

namespace sheaf::files {
namespace {

namespace cp = arrow::compute;

// Values of one type, and literals of a filter as they are written and as they are meant.
struct Case {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string values;                                  // JSON rows for Arrow.
  std::vector<std::pair<Json, std::string>> literals;  // As written; as Arrow's JSON.
};

std::vector<Case> NumberCases() {
  const std::string ints = "[-5, 0, null, 7, 100, 100, -128, 127]";
  std::vector<Case> cases = {
      {"int8", arrow::int8(), ints, {{100, "100"}, {-128, "-128"}, {7.0, "7"}}},
      {"int16", arrow::int16(), ints, {{100, "100"}, {-5, "-5"}}},
      {"int32", arrow::int32(), ints, {{100, "100"}, {0, "0"}}},
      {"int64",
       arrow::int64(),
       "[9223372036854775807, 9223372036854775806, -9223372036854775808, null, 9007199254740993]",
       {{INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
        {9007199254740993, "9007199254740993"}}},
      {"uint8", arrow::uint8(), "[0, 255, null, 7]", {{255, "255"}, {0, "0"}}},
      {"uint16", arrow::uint16(), "[0, 65535, null, 7]", {{65535, "65535"}}},
      {"uint32", arrow::uint32(), "[0, 4294967295, null, 7]", {{4294967295, "4294967295"}}},
      {"uint64",
       arrow::uint64(),
       "[0, 18446744073709551615, 18446744073709551614, null]",
       {{UINT64_MAX, "18446744073709551615"}, {0, "0"}}},
      {"float", arrow::float32(), "[0.1, 1.5, null, -0.0, NaN, Inf]", {{0.1, "0.1"}, {0, "0.0"}}},
      {"double",
       arrow::float64(),
       "[0.1, 1.5, null, -0.0, NaN, -Inf, 3]",
       {{0.1, "0.1"}, {3, "3.0"}, {-1e308, "-1e308"}}},
      {"decimal",
       arrow::decimal128(12, 2),
       R"(["0.10", "24.50", null, "-3.00", "24.49"])",
       {{24.5, "\"24.50\""}, {"24.49", "\"24.49\""}, {-3, "\"-3.00\""}}},
      {"decimal32",
       arrow::decimal32(7, 2),
       R"(["0.10", "24.50", null, "-3.00"])",
       {{24.5, "\"24.50\""}, {-3, "\"-3.00\""}}},
      {"decimal64",
       arrow::decimal64(17, 2),
       R"(["0.10", "24.50", null, "-3.00"])",
       {{"24.5", "\"24.50\""}, {-3, "\"-3.00\""}}},
      {"decimal256",
       arrow::decimal256(50, 2),
       R"(["0.10", "123456789012345678901234567890123456789012345678.99", null, "-3.00"])",
       {{"123456789012345678901234567890123456789012345678.99",
         "\"123456789012345678901234567890123456789012345678.99\""},
        {-3, "\"-3.00\""}}},
  };
  return cases;
}

std::vector<Case> OtherCases() {
  using arrow::TimeUnit;
  return {
      {"bool", arrow::boolean(), "[true, false, null]", {{true, "true"}, {false, "false"}}},
      {"string", arrow::utf8(), R"(["a", "", null, "é", "ab"])", {{"a", "\"a\""}, {"", "\"\""}}},
      {"large_string", arrow::large_utf8(), R"(["a", "", null, "b"])", {{"a", "\"a\""}}},
      {"binary", arrow::binary(), R"(["a", "", null, "b"])", {{"a", "\"a\""}}},
      {"date32",
       arrow::date32(),
       "[19753, 0, null, -1]",
       {{"2024-01-31", "19753"}, {"1970-01-01", "0"}}},
      {"date64", arrow::date64(), "[1706659200000, 0, null]", {{"2024-01-31", "1706659200000"}}},
      {"time32",
       arrow::time32(TimeUnit::MILLI),
       "[0, 43200500, null]",
       {{"12:00:00.500", "43200500"}}},
      {"time64",
       arrow::time64(TimeUnit::MICRO),
       "[0, 43200000000, null]",
       {{"12:00:00", "43200000000"}}},
      {"timestamp",
       arrow::timestamp(TimeUnit::MICRO),
       "[0, 1706702400000000, null, -1]",
       {{"2024-01-31T12:00:00", "1706702400000000"},
        {"1970-01-01 00:00:00", "0"},
        {"1970-01-01", "0"}}},
      {"zoned",
       arrow::timestamp(TimeUnit::MILLI, "UTC"),
       "[0, 1706702400000, null]",
       {{"2024-01-31T12:00:00Z", "1706702400000"}, {"2024-01-31T14:00:00+02:00", "1706702400000"}}},
      {"dictionary",
       arrow::dictionary(arrow::int32(), arrow::utf8()),
       R"(["a", "b", null, "a"])",
       {{"a", "\"a\""}, {"zz", "\"zz\""}}},
  };
}

std::vector<Case> Cases() {
  std::vector<Case> cases = NumberCases();
  for (Case& other : OtherCases()) cases.push_back(std::move(other));
  return cases;
}

std::shared_ptr<arrow::Table> CaseTable(const Case& test) {
  const auto value = test.type->id() == arrow::Type::DICTIONARY
                         ? static_cast<const arrow::DictionaryType&>(*test.type).value_type()
                         : test.type;
  auto array = arrow::json::ArrayFromJSONString(value, test.values).ValueOrDie();
  if (test.type->id() == arrow::Type::DICTIONARY) {
    array = cp::DictionaryEncode(array).ValueOrDie().make_array();
  }
  arrow::Int64Builder rows;
  for (int64_t n = 0; n < array->length(); ++n) SHEAF_CHECK(rows.Append(n).ok());
  return arrow::Table::Make(
      arrow::schema({arrow::field("row", arrow::int64()), arrow::field("v", test.type)}),
      {rows.Finish().ValueOrDie(), array});
}

// `is_in` has no kernel for narrow decimals.
bool NeedsWider(const std::string& op, const arrow::DataType& type) {
  const bool narrow = type.id() == arrow::Type::DECIMAL32 || type.id() == arrow::Type::DECIMAL64;
  return narrow && (op == "in" || op == "not_in");
}

// The rows that stay, by arrow::compute's own functions on the typed literal.
std::shared_ptr<arrow::Table> Reference(const arrow::Table& table, const std::string& op,
                                        const std::vector<std::string>& literals) {
  arrow::Datum column = table.CombineChunks().ValueOrDie()->GetColumnByName("v")->chunk(0);
  if (column.type()->id() == arrow::Type::DICTIONARY) {
    column = cp::Cast(column, arrow::utf8()).ValueOrDie();
  }
  if (NeedsWider(op, *column.type())) {
    column = cp::Cast(column, arrow::decimal128(18, 2)).ValueOrDie();
  }
  arrow::Datum mask;
  if (op == "is_null" || op == "not_null") {
    mask = cp::CallFunction(op == "is_null" ? "is_null" : "is_valid", {column}).ValueOrDie();
  } else {
    std::string list;
    for (const auto& literal : literals) list += (list.empty() ? "" : ",") + literal;
    const auto typed =
        arrow::json::ArrayFromJSONString(column.type(), "[" + list + "]").ValueOrDie();
    const auto one = typed->GetScalar(0).ValueOrDie();
    static const std::map<std::string, std::string> kFunctions = {
        {"=", "equal"},       {"!=", "not_equal"}, {"<", "less"},
        {"<=", "less_equal"}, {">", "greater"},    {">=", "greater_equal"}};
    if (kFunctions.contains(op)) {
      mask = cp::CallFunction(kFunctions.at(op), {column, one}).ValueOrDie();
    } else {
      // Equal to one of them: `is_in` itself would tell 0 from -0.
      mask = cp::CallFunction("equal", {column, one}).ValueOrDie();
      for (int64_t n = 1; n < typed->length(); ++n) {
        const auto next = typed->GetScalar(n).ValueOrDie();
        mask = cp::Or(mask, cp::CallFunction("equal", {column, next}).ValueOrDie()).ValueOrDie();
      }
      if (op == "not_in") mask = cp::Invert(mask).ValueOrDie();
    }
  }
  const auto kept = cp::Filter(table.CombineChunks().ValueOrDie(), mask).ValueOrDie().table();
  return kept->SelectColumns({0}).ValueOrDie();
}

class FilterTest : public FilesTest {
 protected:
  void Compare(const std::string& file, const arrow::Table& table, const Json& term,
               const std::vector<std::string>& literals) {
    const Json spec = {{"uri", file}, {"columns", {"row"}}, {"filter", Json::array({term})}};
    const Answer answer = Ask(spec.dump());
    ASSERT_TRUE(answer.status.ok()) << spec.dump() << ": " << answer.status.error().message;
    SCOPED_TRACE(spec.dump());
    ExpectSame(*answer.Table(), *Reference(table, term[1].get<std::string>(), literals));
  }
  Error FilterError(const std::string& file, const Json& term) {
    return Refusal(Json{{"uri", file}, {"filter", Json::array({term})}}.dump());
  }
};

TEST_F(FilterTest, EveryOperatorOnEveryTypeIsWhatComputeSays) {
  for (const Case& test : Cases()) {
    SCOPED_TRACE(test.name);
    const auto table = CaseTable(test);
    WriteParquet(test.name + ".parquet", table, 2);  // Two rows a group: statistics at work.
    WriteIpc(test.name + ".arrow", table, 3);
    for (const std::string& file : {test.name + ".parquet", test.name + ".arrow"}) {
      for (const auto& [written, meant] : test.literals) {
        for (const std::string op : {"=", "!=", "<", "<=", ">", ">="}) {
          Compare(file, *table, {"v", op, written}, {meant});
        }
      }
      Json list = Json::array();
      std::vector<std::string> meant;
      for (const auto& [written, typed] : test.literals) {
        list.push_back(written);
        meant.push_back(typed);
      }
      Compare(file, *table, {"v", "in", list}, meant);
      Compare(file, *table, {"v", "not_in", list}, meant);
      Compare(file, *table, Json::array({"v", "is_null"}), {});
      Compare(file, *table, Json::array({"v", "not_null"}), {});
    }
  }
}

TEST_F(FilterTest, RandomTermsOverManyRowGroupsAreWhatComputeSays) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  arrow::Int64Builder rows;
  arrow::Int32Builder values;
  for (int64_t n = 0; n < 20'000; ++n) {
    ASSERT_TRUE(rows.Append(n).ok());
    const auto value = static_cast<int32_t>(n / 10 + static_cast<int64_t>(random() % 50));
    ASSERT_TRUE((random() % 20 == 0 ? values.AppendNull() : values.Append(value)).ok());
  }
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("row", arrow::int64()), arrow::field("v", arrow::int32())}),
      {rows.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
  WriteParquet("t.parquet", table, 500);
  const std::vector<std::string> ops = {"=", "!=", "<", "<=", ">", ">="};
  for (int n = 0; n < 60; ++n) {
    const int literal = static_cast<int>(random() % 2'200) - 50;
    Compare("t.parquet", *table, {"v", ops[random() % ops.size()], literal},
            {std::to_string(literal)});
  }
  EXPECT_GT(host_.metrics().Value("sheaf_files_row_groups_pruned_total"), 500);
}

TEST_F(FilterTest, AllTermsMustHold) {
  WriteParquet("t.parquet",
               TableOf({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())},
                       R"([[1, "x"], [2, "x"], [3, "y"], [4, null]])"));
  const Answer answer = Ask(R"({"uri": "t.parquet", "columns": ["a"],
      "filter": [["a", ">", 1], ["b", "=", "x"], ["a", "<", 10]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(), *TableOf({arrow::field("a", arrow::int64())}, "[[2]]"));
  EXPECT_EQ(Ask(R"({"uri": "t.parquet", "filter": [["a", "in", []]]})").rows(), 0);
  EXPECT_EQ(Ask(R"({"uri": "t.parquet", "filter": [["b", "not_in", []]]})").rows(), 3);
}

TEST_F(FilterTest, NanIsNotPrunedAwayByStatistics) {
  const auto table =
      TableOf({arrow::field("row", arrow::int64()), arrow::field("v", arrow::float64())},
              "[[0, 1.0], [1, NaN], [2, 1.0]]");
  WriteParquet("t.parquet", table);
  Compare("t.parquet", *table, {"v", "!=", 1.0}, {"1.0"});
  Compare("t.parquet", *table, {"v", "not_in", {1.0}}, {"1.0"});
  EXPECT_EQ(Ask(R"({"uri": "t.parquet", "filter": [["v", "!=", 1]]})").rows(), 1);
}

TEST_F(FilterTest, ListsTakeBothZerosToBeOneAsEqualDoes) {
  for (const auto& type : {arrow::float64(), arrow::float32()}) {
    WriteParquet("t.parquet",
                 TableOf({arrow::field("v", type)}, "[[0.0], [-0.0], [1.0], [NaN], [null]]"));
    const auto rows = [this](const std::string& op, const Json& value) {
      const Json spec = {{"uri", "t.parquet"}, {"filter", Json::array({{"v", op, value}})}};
      const Answer answer = Ask(spec.dump());
      EXPECT_TRUE(answer.status.ok()) << spec;
      return answer.rows();
    };
    for (const double zero : {0.0, -0.0}) {
      EXPECT_EQ(rows("=", zero), 2);
      EXPECT_EQ(rows("in", {zero}), 2) << zero;
      EXPECT_EQ(rows("in", {zero, 1.0}), 3) << zero;
      EXPECT_EQ(rows("!=", zero), 2);
      EXPECT_EQ(rows("not_in", {zero}), 2) << zero;
    }
  }
}

TEST_F(FilterTest, ValuesThatDoNotFitNameColumnTypeAndValue) {
  const std::vector<std::pair<std::string, std::vector<Json>>> bad = {
      {"int8", {128, -129, 1.5, "1", true, Json::array(), 1e30}},
      {"int64", {9223372036854775808U, 0.5, 1e19, "1"}},
      {"uint8", {-1, 256}},
      {"uint64", {-1, 1.8446744073709552e19}},
      {"float", {"1.5", 1e300, true}},
      {"double", {9007199254740993, "x"}},
      {"decimal", {0.001, "0.001", "x", 1e12, true, "99999999999"}},
      {"bool", {0, 1, "true"}},
      {"string", {1, true}},
      {"date32", {"2024-13-01", "2024-01-31T00:00:00", 19753, "yesterday"}},
      {"time32", {"25:00:00", "12:00:00.0001", 1}},
      {"timestamp", {"2024-01-31T12:00:00Z", "2024-01-31T12:00:00+01:00", 0, "now"}},
      {"zoned", {"2024-01-31T12:00:00", 0, "2024-01-31"}},
      {"dictionary", {1}},
  };
  std::map<std::string, Case> cases;
  for (const Case& test : Cases()) {
    cases[test.name] = test;
    WriteIpc(test.name + ".arrow", CaseTable(test));
  }
  for (const auto& [name, values] : bad) {
    for (const Json& value : values) {
      const Error error = FilterError(name + ".arrow", {"v", "<", value});
      EXPECT_EQ(error.kind, Kind::kInvalid) << name << value;
      EXPECT_TRUE(error.message.starts_with("spec.filter[0]: column 'v' of type "))
          << error.message;
      EXPECT_NE(error.message.find("cannot be compared to " + value.dump()), std::string::npos)
          << error.message;
      EXPECT_EQ(FilterError(name + ".arrow", {"v", "in", {value}}).kind, Kind::kInvalid);
    }
    const Error null = FilterError(name + ".arrow", {"v", "=", nullptr});
    EXPECT_EQ(null.kind, Kind::kInvalid);
    EXPECT_NE(null.message.find("is_null"), std::string::npos) << null.message;
  }
}

TEST_F(FilterTest, NestedColumnsTakeNullTestsOnly) {
  WriteParquet("t.parquet", TableOf({arrow::field("a", arrow::int64()),
                                     arrow::field("l", arrow::list(arrow::int64()))},
                                    "[[1, [1]], [2, null], [3, []]]"));
  const Error error = FilterError("t.parquet", {"l", "=", 1});
  EXPECT_EQ(error.kind, Kind::kUnsupported);
  EXPECT_NE(error.message.find("is_null and not_null"), std::string::npos) << error.message;
  EXPECT_EQ(Ask(R"({"uri": "t.parquet", "filter": [["l", "is_null"]]})").rows(), 1);
  EXPECT_EQ(Ask(R"({"uri": "t.parquet", "filter": [["l", "not_null"]]})").rows(), 2);
}

TEST_F(FilterTest, UnknownColumnsAreNamed) {
  WriteParquet("t.parquet", TableOf({arrow::field("l_quantity", arrow::int64())}, "[[1]]"));
  const Error error = FilterError("t.parquet", {"l_quantty", "=", 1});
  EXPECT_EQ(error.kind, Kind::kInvalid);
  EXPECT_NE(error.message.find("did you mean 'l_quantity'"), std::string::npos) << error.message;
}

TEST_F(FilterTest, ViewsAreComparedAsStrings) {
  const auto plain =
      TableOf({arrow::field("row", arrow::int64()), arrow::field("v", arrow::utf8())},
              R"([[0, "short"], [1, "a string that is not short"], [2, null]])");
  const auto view = cp::Cast(plain->column(1), arrow::utf8_view()).ValueOrDie().chunked_array();
  const auto table = plain->SetColumn(1, arrow::field("v", arrow::utf8_view()), view).ValueOrDie();
  WriteIpc("t.arrow", table);
  const Answer answer = Ask(R"({"uri": "t.arrow", "filter": [["v", "=", "short"]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.rows(), 1);

  const Answer rest = Ask(R"({"uri": "t.arrow", "filter": [["row", ">=", 1]]})");
  ASSERT_TRUE(rest.status.ok()) << rest.status.error().message;
  ASSERT_EQ(rest.rows(), 2);
  const auto kept = rest.Table()->GetColumnByName("v");
  EXPECT_EQ(kept->GetScalar(0).ValueOrDie()->ToString(), "a string that is not short");
  EXPECT_FALSE(kept->GetScalar(1).ValueOrDie()->is_valid);
}

TEST_F(FilterTest, EveryKindOfColumnIsFiltered) {
  const auto lists = arrow::list(arrow::utf8_view());
  const auto plain = TableOf(
      {arrow::field("row", arrow::int64()), arrow::field("list", arrow::list(arrow::utf8()))},
      R"([[0, ["a"]], [1, ["b", null]], [2, null], [3, []], [4, ["c"]]])");
  const auto views = cp::Cast(plain->column(1), lists).ValueOrDie().chunked_array();
  const auto table = plain->SetColumn(1, arrow::field("list", lists), views).ValueOrDie();
  WriteIpc("t.arrow", table);
  const Answer answer = Ask(R"({"uri": "t.arrow", "filter": [["row", "in", [1, 2, 4]]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ASSERT_EQ(answer.rows(), 3);
  const auto kept = answer.Table()->GetColumnByName("list");
  EXPECT_TRUE(kept->GetScalar(0).ValueOrDie()->is_valid);
  EXPECT_FALSE(kept->GetScalar(1).ValueOrDie()->is_valid);
}

}  // namespace
}  // namespace sheaf::files
