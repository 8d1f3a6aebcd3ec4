// PLAN  what looks like a file is one, `path:` and the rest are paths, `@` is a command · a name is
//       taken from the value when it gives one · what is wrong is named · paths and their text

#include "sheaf/apps/sheaf/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sheaf/apps/sheaf/paths.h"

namespace sheaf::app {
namespace {

using ::testing::HasSubstr;

Result<std::string> ReadNested(const std::string& path) {
  if (path == "nested.json") return std::string(R"({"service":"sql","spec":{"sql":"select 1"}})");
  if (path == "torn.json") return std::string(R"({"service")");
  return Fail(Kind::kNotFound, "no file '" + path + "'");
}

NamedInput Parsed(std::string_view text) {
  auto input = ParseInput(text, ReadNested);
  EXPECT_TRUE(input.ok()) << input.error().message;
  return input.ok() ? *input : NamedInput{};
}
std::string UriOf(std::string_view text) {
  const Json value = Parsed(text).value;
  return value.contains("spec") ? value["spec"]["uri"].get<std::string>() : "a path";
}
Json PathOf(std::string_view text) { return Parsed(text).value["path"]; }

TEST(InputsTest, WhatLooksLikeAFileIsOne) {
  EXPECT_EQ(UriOf("o=orders.parquet"), "orders.parquet");
  EXPECT_EQ(UriOf("o=data/2026/orders.CSV.gz"), "data/2026/orders.CSV.gz");
  EXPECT_EQ(UriOf("o=/data/orders"), "/data/orders");
  EXPECT_EQ(UriOf("o=./orders"), "./orders");
  EXPECT_EQ(UriOf("o=file:orders"), "orders");
  EXPECT_EQ(UriOf("o=file:///data/orders"), "file:///data/orders");
  EXPECT_EQ(UriOf("o=s3://bucket/orders"), "s3://bucket/orders");
  EXPECT_EQ(UriOf("o=parts/*"), "parts/*");
  EXPECT_EQ(Parsed("o=a.csv").value["service"], "files");
  EXPECT_EQ(Parsed("o=a.csv").file, "a.csv");
}

TEST(InputsTest, EverythingElseIsAPath) {
  EXPECT_EQ(PathOf("o=raw/orders"), Json::array({"raw", "orders"}));
  EXPECT_EQ(PathOf("o=orders"), Json::array({"orders"}));
  EXPECT_EQ(PathOf("o=path:raw/orders.parquet"), Json::array({"raw", "orders.parquet"}));
  EXPECT_EQ(PathOf(R"(o=raw/a\/b)"), Json::array({"raw", "a/b"}));
  EXPECT_TRUE(Parsed("o=raw/orders").file.empty());
}

TEST(InputsTest, AtIsTheCommandInAFile) {
  EXPECT_EQ(Parsed("n=@nested.json").value["service"], "sql");
  EXPECT_THAT(ParseInput("n=@gone.json", ReadNested).error().message, HasSubstr("gone.json"));
  EXPECT_THAT(ParseInput("n=@torn.json", ReadNested).error().message, HasSubstr("torn.json"));
}

TEST(InputsTest, NameComesFromTheValueWhenItGivesOne) {
  EXPECT_EQ(Parsed("orders.parquet").name, "orders");
  EXPECT_EQ(Parsed("data/line_item.csv.gz").name, "line_item");
  EXPECT_EQ(Parsed("raw/orders").name, "orders");
  EXPECT_EQ(Parsed("path:raw/orders").name, "orders");
  EXPECT_THAT(ParseInput("data/*.parquet", ReadNested).error().message, HasSubstr("needs a name"));
  EXPECT_THAT(ParseInput("2026.csv", ReadNested).error().message, HasSubstr("--input name="));
}

TEST(InputsTest, SignInsideAFileNameIsNotAName) {
  EXPECT_EQ(Parsed("t=year=2026/a.parquet").name, "t");
  EXPECT_EQ(UriOf("t=year=2026/a.parquet"), "year=2026/a.parquet");
}

TEST(InputsTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(ParseInput("o=", ReadNested).error().message, HasSubstr("'o'"));
  EXPECT_THAT(ParseInput("o=raw//orders", ReadNested).error().message, HasSubstr("raw//orders"));
}

TEST(PathsTest, TextAndPathAreInverse) {
  for (const char* text : {"a/b", R"(a\/b/c)", R"(a\\/b)", "Grüße/x y"}) {
    const auto path = ParsePath(text);
    ASSERT_TRUE(path.ok()) << path.error().message;
    EXPECT_EQ(path->Text(), text);
  }
  EXPECT_EQ(ParsePath(R"(["a","b/c"])")->parts()[1], "b/c");
  EXPECT_EQ(ParsePath("a//b").error().kind, Kind::kInvalid);
  EXPECT_EQ(ParsePath("").error().kind, Kind::kInvalid);
}

TEST(PathsTest, PrefixMayBeEmptyOrEndInASlash) {
  EXPECT_TRUE(ParsePrefix("")->empty());
  EXPECT_TRUE(ParsePrefix("/")->empty());
  EXPECT_EQ(ParsePrefix("raw/")->Text(), "raw");
}

}  // namespace
}  // namespace sheaf::app
