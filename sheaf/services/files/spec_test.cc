// PLAN  a spec has one of uri and uris · unknown keys, formats, operators, types, zones are named
//       · options are refused where they mean nothing · suffixes tell format and packing
#include "sheaf/services/files/spec.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>

namespace sheaf::files {
namespace {

Result<Spec> Parse(const std::string& text) { return ParseSpec(*command::ParseJson(text)); }

void ExpectInvalid(const std::string& text, const std::string& part) {
  const auto spec = Parse(text);
  ASSERT_FALSE(spec.ok()) << text;
  EXPECT_EQ(spec.error().kind, Kind::kInvalid) << text;
  EXPECT_NE(spec.error().message.find(part), std::string::npos) << text << "\n"
                                                                << spec.error().message;
}

TEST(SpecTest, EverythingAtOnce) {
  const auto spec = Parse(R"x({"uris": ["a.csv", "b.csv"], "format": "csv", "columns": ["x", "y"],
    "filter": [["x", "<", 24], ["y", "in", ["a", "b"]], ["z", "is_null"]],
    "options": {"delimiter": ";", "header": false, "null_values": ["NA"],
                "types": {"x": "decimal(12, 2)"}}})x");
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->uris, (std::vector<std::string>{"a.csv", "b.csv"}));
  EXPECT_EQ(spec->format, Format::kCsv);
  EXPECT_EQ(spec->columns, (std::vector<std::string>{"x", "y"}));
  ASSERT_EQ(spec->filter.size(), 3U);
  EXPECT_EQ(spec->filter[0].op, Op::kLess);
  EXPECT_EQ(spec->filter[0].value, Json(24));
  EXPECT_EQ(spec->filter[1].op, Op::kIn);
  EXPECT_EQ(spec->filter[2].op, Op::kIsNull);
  EXPECT_EQ(spec->filter[2].where, "spec.filter[2]");
  EXPECT_EQ(spec->options.delimiter, ';');
  EXPECT_FALSE(spec->options.header);
  EXPECT_EQ(spec->options.null_values, std::vector<std::string>{"NA"});
  EXPECT_EQ(spec->options.types.at("x")->ToString(), "decimal128(12, 2)");
}

TEST(SpecTest, ExactlyOneOfUriAndUris) {
  ExpectInvalid(R"({})", "needs 'uri'");
  ExpectInvalid(R"({"uri": "a.csv", "uris": ["b.csv"]})", "both 'uri' and 'uris'");
  ExpectInvalid(R"({"uris": []})", "spec.uris");
  ExpectInvalid(R"({"uris": "a.csv"})", "uris");
  ExpectInvalid(R"({"uri": 7})", "uri");
}

TEST(SpecTest, UnknownWordsAreNamedWithTheNearest) {
  ExpectInvalid(R"({"uri": "a.csv", "colums": ["x"]})", "'columns'");
  ExpectInvalid(R"({"uri": "a.csv", "format": "parqet"})", "did you mean 'parquet'");
  ExpectInvalid(R"({"uri": "a.csv", "options": {"delimeter": ","}})", "'delimiter'");
  ExpectInvalid(R"({"uri": "a.csv", "filter": [["x", "==", 1]]})", "unknown operator '=='");
  ExpectInvalid(R"({"uri": "a.csv", "options": {"types": {"x": "integer"}}})",
                "spec.options.types.x: unknown type 'integer'");
}

TEST(SpecTest, BadShapesSayWhere) {
  ExpectInvalid(R"({"uri": "a.csv", "filter": {"x": 1}})", "filter");
  ExpectInvalid(R"({"uri": "a.csv", "filter": [["x", "=", 1], "y"]})", "spec.filter[1]");
  ExpectInvalid(R"({"uri": "a.csv", "filter": [["x", "="]]})", "needs a value");
  ExpectInvalid(R"({"uri": "a.csv", "filter": [["x", "is_null", 1]]})", "takes no value");
  ExpectInvalid(R"({"uri": "a.csv", "filter": [["x", "in", 1]]})", "needs a list");
  ExpectInvalid(R"({"uri": "a.csv", "columns": ["x", "x"]})", "'x' twice");
  ExpectInvalid(R"({"uri": "a.csv", "options": {"delimiter": ",,"}})", "delimiter");
  ExpectInvalid(R"({"uri": "a.csv", "options": {"delimiter": "\""}})", "delimiter");
  ExpectInvalid(R"({"uri": "a.csv", "options": {"header": "yes"}})", "header");
}

TEST(SpecTest, OptionsAreRefusedWhereTheyMeanNothing) {
  ExpectInvalid(R"({"uri": "a", "format": "parquet", "options": {"delimiter": ","}})",
                "means nothing for the format parquet");
  ExpectInvalid(R"({"uri": "a", "format": "json", "options": {"header": true}})", "format json");
  EXPECT_TRUE(Parse(R"({"uri": "a", "format": "json", "options": {"types": {"a": "date"}}})").ok());
}

TEST(SpecTest, LimitsHold) {
  Json spec = {{"uri", "a.csv"}, {"filter", Json::array()}};
  for (size_t n = 0; n <= kTermsMax; ++n) spec["filter"].push_back({"x", "=", 1});
  EXPECT_FALSE(ParseSpec(spec).ok());
  Json list = {{"uri", "a.csv"}, {"filter", {{"x", "in", std::vector<int>(kListMax + 1, 1)}}}};
  EXPECT_FALSE(ParseSpec(list).ok());
  EXPECT_FALSE(ParseSpec({{"uris", std::vector<std::string>(kUrisMax + 1, "a.csv")}}).ok());
}

TEST(SpecTest, SuffixesTellFormatAndPacking) {
  EXPECT_EQ(FactsOfName("dir/a.parquet")->format, Format::kParquet);
  EXPECT_EQ(FactsOfName("A.CSV")->format, Format::kCsv);
  EXPECT_TRUE(FactsOfName("a.tsv")->tabs);
  EXPECT_EQ(FactsOfName("a.jsonl.gz")->packing, Packing::kGzip);
  EXPECT_EQ(FactsOfName("a.csv.zst")->format, Format::kCsv);
  EXPECT_EQ(FactsOfName("a.feather")->format, Format::kArrow);
  EXPECT_FALSE(FactsOfName("a.parquet.gz").has_value());
  EXPECT_FALSE(FactsOfName("a.txt").has_value());
  EXPECT_FALSE(FactsOfName(".csv").has_value());
  EXPECT_FALSE(FactsOfName("").has_value());
}

TEST(SpecTest, TypesAreReadAsPeopleWriteThem) {
  const auto shown = [](std::string_view text) { return (*ParseType(text, "x"))->ToString(); };
  EXPECT_EQ(shown("int64"), "int64");
  EXPECT_EQ(shown("date"), "date32[day]");
  EXPECT_EQ(shown("timestamp"), "timestamp[us]");
  EXPECT_EQ(shown("timestamp[ms, UTC]"), "timestamp[ms, tz=UTC]");
  EXPECT_EQ(shown("timestamp[us, tz=Europe/Berlin]"), "timestamp[us, tz=Europe/Berlin]");
  EXPECT_EQ(shown("timestamp[us, tz=+02:00]"), "timestamp[us, tz=+02:00]");
  EXPECT_EQ(shown("time[s]"), "time32[s]");
  EXPECT_EQ(shown("time64[ns]"), "time64[ns]");
  EXPECT_EQ(shown("decimal(50,3)"), "decimal256(50, 3)");
  for (const std::string_view bad :
       {"", "[", "decimal", "decimal(0)", "decimal(3,4)", "decimal(77,0)", "decimal(1,2,3)",
        "timestamp[min]", "timestamp[ms", "time32[ns]", "int64[3]", "list<int64>", "decimal(x)"}) {
    EXPECT_FALSE(ParseType(bad, "x").ok()) << bad;
  }
}

TEST(SpecTest, TimeZonesThatNobodyKnowsAreNamed) {
  for (const std::string zone :
       {"Mars/Phobos", "tz=Mars/Phobos", "tz=", "", "+25:00", "tz=tz=UTC"}) {
    EXPECT_FALSE(ParseType("timestamp[us, " + zone + "]", "x").ok()) << zone;
  }
  ExpectInvalid(
      R"({"uri": "a.csv", "options": {"types": {"at": "timestamp[us, tz=Mars/Phobos]"}}})",
      "spec.options.types.at: unknown time zone 'Mars/Phobos'");
}

}  // namespace
}  // namespace sheaf::files
