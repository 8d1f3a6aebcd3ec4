// PLAN  SQL becomes a command of the service sql · a command's text stays, flags win over it ·
//       sink, options and parameters land where the contract wants them · what is missing is said,
//       what is given twice too · everything composed parses as a command

#include "sheaf/apps/sheaf/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using ::testing::HasSubstr;

Result<std::string> NoFiles(const std::string& path) {
  return Fail(Kind::kNotFound, "no file '" + path + "'");
}
Json Of(const ComposeOptions& options) {
  auto composed = Compose(options, NoFiles);
  EXPECT_TRUE(composed.ok()) << composed.error().message;
  if (!composed.ok()) return {};
  const auto parsed = Command::FromJson(composed->command);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  return composed->command;
}
std::string WhyNot(const ComposeOptions& options) {
  auto composed = Compose(options, NoFiles);
  return composed.ok() ? "" : composed.error().message;
}

TEST(ComposeTest, SqlBecomesACommand) {
  EXPECT_EQ(Of({.text = "  select 1\n"}),
            Json::parse(R"({"service": "sql", "spec": {"sql": "select 1"}})"));
}

TEST(ComposeTest, EveryFlagLandsInItsPlace) {
  const Json command = Of({.text = "select * from o",
                           .inputs = {"o=orders.parquet", "raw/line_item"},
                           .params = {"3", "text", "null", "\"4\""},
                           .sink = "reports/q3",
                           .reuse = "if_fresh",
                           .tier = "memory",
                           .ttl = "1h",
                           .if_generation = 0,
                           .priority = 9,
                           .deadline = "1.5s",
                           .retain = "2m",
                           .memory = "1GiB",
                           .no_share = true});
  EXPECT_EQ(command, Json::parse(R"({
    "service": "sql",
    "inputs": {"o": {"service": "files", "spec": {"uri": "orders.parquet"}},
               "line_item": {"path": ["raw", "line_item"]}},
    "spec": {"sql": "select * from o", "params": [3, "text", null, "4"]},
    "sink": {"path": ["reports", "q3"], "reuse": "if_fresh", "tier": "memory", "ttl_s": 3600,
             "if_generation": 0},
    "options": {"priority": 9, "deadline_ms": 1500, "retain_s": 120, "memory_bytes": 1073741824,
                "share": false}})"));
}

TEST(ComposeTest, FlagsWinOverTheTextOfACommand) {
  const Json command = Of({.text = R"({"service": "sql", "spec": {"sql": "select 1"},
                                       "sink": {"path": ["a"], "ttl_s": 5}})",
                           .sink = "b/c",
                           .priority = 1});
  EXPECT_EQ(command["sink"], Json::parse(R"({"path": ["b", "c"], "ttl_s": 5})"));
  EXPECT_EQ(command["options"]["priority"], 1);
}

TEST(ComposeTest, ParametersAreAllNamedOrAllByPosition) {
  EXPECT_EQ(Of({.text = "select $a", .params = {"a=2.0", "b=x=y"}})["spec"]["params"],
            Json::parse(R"({"a": 2.0, "b": "x=y"})"));
  EXPECT_THAT(WhyNot({.text = "select 1", .params = {"a=2", "3"}}), HasSubstr("--param"));
}

TEST(ComposeTest, WhatIsMissingIsSaid) {
  EXPECT_THAT(WhyNot({.text = " \n"}), HasSubstr("nothing to run"));
  EXPECT_THAT(WhyNot({.text = "select 1", .ttl = "1h"}), HasSubstr("--sink"));
  EXPECT_THAT(WhyNot({.text = "select 1", .sink = "a//b"}), HasSubstr("--sink"));
  EXPECT_THAT(WhyNot({.text = "{\"service\": "}), HasSubstr("byte"));
  EXPECT_THAT(WhyNot({.text = "select 1", .inputs = {"o=@x.json"}}), HasSubstr("x.json"));
}

TEST(ComposeTest, ANameIsGivenOnce) {
  EXPECT_THAT(WhyNot({.text = "select 1", .inputs = {"n=a.csv", "n=b.csv"}}),
              HasSubstr("'n' is given twice"));
}

TEST(ComposeTest, FilesOfFlagsAreToldForTheirRoots) {
  const auto composed =
      Compose({.text = "select 1", .inputs = {"a=/d/a.csv", "b=raw/b", "../c.parquet"}}, NoFiles);
  ASSERT_TRUE(composed.ok()) << composed.error().message;
  EXPECT_EQ(composed->files, (std::vector<std::string>{"/d/a.csv", "../c.parquet"}));
}

}  // namespace
}  // namespace sheaf::app
