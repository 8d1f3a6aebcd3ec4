// PLAN  integers are exact to 64 bits and refused beyond · doubles keep their point · duplicate
//       keys, bad UTF-8, NUL, marks and rubbish are refused with the byte · limits hold
//       · canonical text: RFC 8785's order and escapes, doubles shortest · readers name key and
//       type
#include "sheaf/wire/command/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "sheaf/base/core/core.h"

namespace sheaf::command {
namespace {

using ::testing::HasSubstr;

std::string Refused(std::string_view text, const JsonLimits& limits = {}) {
  const auto json = ParseJson(text, limits);
  if (json.ok()) return "accepted: " + std::string(text);
  EXPECT_EQ(json.error().kind, Kind::kInvalid);
  return json.error().message;
}
std::string Again(std::string_view text) {
  const auto json = ParseJson(text);
  return json.ok() ? Canonical(*json) : json.error().message;
}

TEST(JsonTest, IntegersAreExactToSixtyFourBits) {
  for (const auto* text : {"0", "-1", "9007199254740993", "9223372036854775807",
                           "-9223372036854775808", "18446744073709551615"}) {
    EXPECT_EQ(Again(text), text);
  }
  EXPECT_TRUE(ParseJson("18446744073709551615")->is_number_unsigned());
  EXPECT_EQ(Refused("[18446744073709551616]"),
            "integer 18446744073709551616 does not fit 64 bits at byte 22");
  EXPECT_THAT(Refused("-9223372036854775809"), HasSubstr("does not fit 64 bits"));
}

TEST(JsonTest, DoublesAreShortestAndKeepTheirPoint) {
  EXPECT_EQ(Again("2.0"), "2.0");
  EXPECT_EQ(Again("2"), "2");
  EXPECT_EQ(Again("-0.0"), "-0.0");
  EXPECT_EQ(Again("0.1000"), "0.1");
  EXPECT_EQ(Again("1E400"), "malformed JSON: a number is out of range at byte 5");
  for (const auto* text : {"1e3", "1.5e300", "123456789012345680.0", "5e-324", "1e+22", "0.1",
                           "3.141592653589793", "1.7976931348623157e308"}) {
    const Json value = *ParseJson(text);
    const std::string printed = Canonical(value);
    EXPECT_NE(printed.find_first_of(".e"), std::string::npos) << printed;
    EXPECT_TRUE(ParseJson(printed)->is_number_float()) << printed;
    EXPECT_EQ(ParseJson(printed)->get<double>(), value.get<double>()) << printed;
  }
}

TEST(JsonTest, ADuplicateKeyIsNamedWithItsByte) {
  EXPECT_EQ(Refused(R"({"a": 1, "a": 2})"), "duplicate key 'a' at byte 12");
  EXPECT_THAT(Refused(R"({"x": {"b": 1, "\u0062": 2}})"), HasSubstr("duplicate key 'b'"));
  EXPECT_EQ(Again(R"({"a": {"a": 1}})"), R"({"a":{"a":1}})");
}

TEST(JsonTest, MalformedTextIsRefusedWithTheByte) {
  EXPECT_THAT(Refused(R"({"a": tru})"), HasSubstr("at byte 10"));
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "{\"a\"}",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "nul",
                                      "01",
                                      "1.",
                                      ".5",
                                      "+1",
                                      "NaN",
                                      "Infinity",
                                      "'a'",
                                      "// c\n1",
                                      "[1] 2",
                                      "{\"a\":1}}",
                                      "\"\t\"",
                                      "\"\\x\"",
                                      "\"\\ud800\"",
                                      "\"\xff\"",
                                      "\"\xc0\xaf\"",
                                      "\"\xed\xa0\x80\"",
                                      "\xEF\xBB\xBF{}"}) {
    EXPECT_THAT(Refused(text), HasSubstr("malformed JSON: ")) << text;
    EXPECT_THAT(Refused(text), HasSubstr(" at byte ")) << text;
  }
  EXPECT_THAT(Refused(std::string("{}\0rubbish", 10)), HasSubstr("NUL at byte 2"));
  EXPECT_THAT(Refused(std::string("\0", 1)), HasSubstr("NUL at byte 0"));
}

TEST(JsonTest, ErrorsDoNotRepeatTheText) {
  EXPECT_LT(Refused("{\"a\": \"" + std::string(10'000, 'x')).size(), 200u);
  EXPECT_LT(Refused("[" + std::string(10'000, '9') + "]").size(), 200u);
}

TEST(JsonTest, LimitsOfSizeDepthAndCountHold) {
  EXPECT_EQ(Refused("[1]", {.bytes_max = 2}), "JSON of 3 bytes, the limit is 2");
  EXPECT_TRUE(ParseJson("[[1]]", {.depth_max = 2}).ok());
  EXPECT_EQ(Refused("[[[1]]]", {.depth_max = 2}), "nested deeper than 2 at byte 3");
  EXPECT_TRUE(ParseJson("[1,2]", {.values_max = 3}).ok());
  EXPECT_THAT(Refused("[1,2,3]", {.values_max = 3}), HasSubstr("more than 3 values at byte"));
  EXPECT_THAT(Refused(std::string(1 << 19, '[')), HasSubstr("nested deeper than 64"));
}

TEST(CanonicalTest, KeysAreInTheOrderOfUtf16) {
  // RFC 8785, section 3.2.3: its example, in its order.
  const auto json = ParseJson(R"({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4,
                                  "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7})");
  EXPECT_EQ(Canonical(*json),
            "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"\u00f6\":7,\"\u20ac\":1,\"\U0001F600\":5,"
            "\"\uFB33\":3}");
  EXPECT_EQ(Again(R"({"ab": 1, "a": 2, "": 3})"), R"({"":3,"a":2,"ab":1})");
}

TEST(CanonicalTest, StringsAreEscapedAsLittleAsPossible) {
  EXPECT_EQ(Again(R"("\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\u007f\u2028\b\f\t")"),
            "\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\x7f\u2028\\b\\f\\t\"");
}

TEST(CanonicalTest, EveryKindOfValuePrints) {
  EXPECT_EQ(Again(R"( [ null, true, false, { } , [ ], "" ] )"), R"([null,true,false,{},[],""])");
  EXPECT_EQ(Canonical(Json(std::numeric_limits<double>::infinity())), "null");
}

TEST(ObjectReaderTest, TakesWhatIsThereAndFallsBackForTheRest) {
  const Json json = *ParseJson(R"({"s": "x", "n": 3, "b": true, "l": ["p", "q"], "o": {}})");
  ObjectReader read(json, "spec");
  EXPECT_EQ(*read.RequiredString("s"), "x");
  EXPECT_EQ(*read.String("none", "y"), "y");
  EXPECT_EQ(*read.Integer("n", 0, 1, 9), 3);
  EXPECT_EQ(*read.Integer("m", 7, 1, 9), 7);
  EXPECT_EQ(*read.Boolean("b", false), true);
  EXPECT_EQ(read.Strings("l")->size(), 2u);
  EXPECT_TRUE(read.Strings("k")->empty());
  EXPECT_TRUE(read.Has("o"));
  EXPECT_THAT(read.Finish().error().message, HasSubstr("spec: unknown key 'o'"));
  EXPECT_NE(read.Take("o"), nullptr);
  EXPECT_EQ(read.Take("p"), nullptr);
  EXPECT_TRUE(read.Finish().ok());
}

TEST(ObjectReaderTest, WhatDoesNotFitIsNamedWithPlaceTypeAndValue) {
  const Json json = *ParseJson(R"({"s": 1, "n": 10, "b": "yes", "l": ["p", 2], "big": 1e3,
                                   "huge": 18446744073709551615})");
  ObjectReader read(json, "spec");
  EXPECT_EQ(read.RequiredString("s").error().message, "spec.s: expected a string, found number 1");
  EXPECT_EQ(read.RequiredString("t").error().message, "spec.t: expected a string, it is missing");
  EXPECT_EQ(read.Integer("n", 0, 1, 9).error().message,
            "spec.n: expected an integer from 1 to 9, found number 10");
  EXPECT_FALSE(read.Integer("big", 0, 0, 10'000).ok());
  EXPECT_FALSE(read.Integer("huge", 0, INT64_MIN, INT64_MAX).ok());
  EXPECT_EQ(read.Boolean("b", false).error().message,
            "spec.b: expected true or false, found string 'yes'");
  EXPECT_FALSE(read.Strings("l").ok());
}

TEST(ObjectReaderTest, WhatIsNoObjectIsSaidByFinish) {
  const Json json = Json::array();
  ObjectReader read(json, "spec");
  EXPECT_EQ(*read.Integer("n", 4, 0, 9), 4);
  EXPECT_EQ(read.Finish().error().message, "spec: expected an object, found array");
  EXPECT_EQ(read.RequiredString("s").error().message, "spec: expected an object, found array");
}

}  // namespace
}  // namespace sheaf::command
