// PLAN  lines are as documented in both formats · a field cannot forge a line or a field · long
//       values are cut at a character · levels are kept · a slow reader makes nobody wait
//       · the same series is the same object · text is Prometheus' · series are bounded
#include "sheaf/adapters/observe/observe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "sheaf/base/async/async.h"

namespace sheaf::observe {
namespace {

using Json = nlohmann::json;

constexpr WallTime kWall{1'700'000'000'123'000};

TEST(LogLineTest, TextIsReadAsItIsMeant) {
  EXPECT_EQ(LogLine(LogFormat::kText, kWall, Level::kInfo, "module started",
                    {{"module", "files"}, {"ms", 12}, {"reason", "no disk"}, {"empty", ""}}),
            "2023-11-14T22:13:20.123Z INFO  module started module=files ms=12 "
            "reason=\"no disk\" empty=\"\"");
}

TEST(LogLineTest, JsonKeepsTheOrderAndTheTypes) {
  EXPECT_EQ(LogLine(LogFormat::kJson, kWall, Level::kWarn, "slow",
                    {{"ms", 12}, {"share", 0.5}, {"who", "a\"b"}}),
            R"({"time":"2023-11-14T22:13:20.123Z","level":"warn","event":"slow","ms":12,)"
            R"("share":0.5,"who":"a\"b"})");
}

TEST(LogLineTest, AFieldCannotForgeALineOrAField) {
  const std::string evil = "x\n2023 ERROR forged a=b\r\x1b[31m\x7f";
  for (const auto format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = LogLine(format, kWall, Level::kInfo, evil, {{"v", evil}});
    for (const char c : line) EXPECT_TRUE(c >= ' ') << line;
    if (format == LogFormat::kText) {
      EXPECT_NE(line.find("v=\""), std::string::npos) << line;
    }
  }
  const std::string line =
      LogLine(LogFormat::kJson, kWall, Level::kInfo, "e", {{"event", "other"}, {"time", 1}});
  const Json parsed = Json::parse(line);
  EXPECT_EQ(parsed["event"], "e");
  EXPECT_EQ(parsed["_event"], "other");
}

TEST(LogLineTest, WhatIsNoUtf8IsReplacedAndNoNumberIsNull) {
  const std::string line = LogLine(LogFormat::kJson, kWall, Level::kInfo, "e",
                                   {{"bad", "a\xFF\xC3"}, {"nan", std::nan("")}});
  const Json parsed = Json::parse(line);
  EXPECT_EQ(parsed["bad"], "a\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(parsed["nan"].is_null());
}

TEST(LogLineTest, ALongValueIsCutAtACharacter) {
  std::string text;
  while (text.size() < 2 * kLogValueBytesMax) text += "\xE2\x82\xAC";  // Three bytes each.
  const Json parsed =
      Json::parse(LogLine(LogFormat::kJson, kWall, Level::kInfo, "e", {{"v", text}}));
  const auto value = parsed["v"].get<std::string>();
  EXPECT_LE(value.size(), kLogValueBytesMax + 3);
  EXPECT_TRUE(value.ends_with("\xE2\x82\xAC\xE2\x80\xA6"));
  EXPECT_EQ(value.find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(SpdLogTest, WritesLinesInOrderAndDropsWhatIsBelowItsLevel) {
  ManualClock clock;
  std::vector<std::string> lines;
  {
    SpdLog log(clock, {.level = Level::kWarn, .write = [&](std::string_view line) {
                         std::istringstream all{std::string(line)};
                         for (std::string one; std::getline(all, one);) lines.push_back(one);
                       }});
    log.Info("quiet");
    for (int i = 0; i < 100; ++i) log.Warn("line {} %s", {{"i", i}});
    log.Error("last");
  }
  ASSERT_EQ(lines.size(), 101u);
  for (int i = 0; i < 100; ++i) {
    const std::string& line = lines[static_cast<size_t>(i)];
    EXPECT_TRUE(line.ends_with("line {} %s i=" + std::to_string(i))) << line;
  }
}

TEST(SpdLogTest, AReaderThatHangsMakesNobodyWaitAndLosesTheOldest) {
  ManualClock clock;
  Event go, inside;
  std::vector<std::string> lines;
  {
    SpdLog log(clock, {.queue_max = 16, .write = [&](std::string_view line) {
                         inside.Set();
                         go.Wait();
                         lines.emplace_back(line);
                       }});
    log.Info("first");
    inside.Wait();
    for (int i = 0; i < 1000; ++i) log.Info("line", {{"i", i}});
    EXPECT_GE(log.dropped(), 900u);
    go.Set();
  }
  EXPECT_LE(lines.size(), 100u);
  EXPECT_TRUE(lines.back().ends_with("i=999\n"));
}

TEST(PrometheusMetricsTest, TheSameNameAndLabelsAreTheSameSeries) {
  auto metrics = MakePrometheusMetrics();
  auto& one = metrics->MakeCounter("sheaf_calls_total", "Calls.", {{"kind", "get"}});
  auto& same = metrics->MakeCounter("sheaf_calls_total", "Calls.", {{"kind", "get"}});
  auto& other = metrics->MakeCounter("sheaf_calls_total", "Calls.", {{"kind", "put"}});
  EXPECT_EQ(&one, &same);
  EXPECT_NE(&one, &other);
}

TEST(PrometheusMetricsTest, TextIsInPrometheusFormat) {
  auto metrics = MakePrometheusMetrics();
  metrics->MakeCounter("sheaf_calls_total", "Calls made.", {{"kind", "g\"et\n"}}).Add(3);
  metrics->MakeGauge("sheaf_memory_bytes", "Held.", {}).Set(12.5);
  auto& seconds = metrics->MakeHistogram("sheaf_call_seconds", "Took.", {}, DurationBounds());
  seconds.Observe(0.002);
  seconds.Observe(5000);
  const std::string text = metrics->Text();
  for (const auto* line :
       {"# HELP sheaf_calls_total Calls made.\n", "# TYPE sheaf_calls_total counter\n",
        "sheaf_calls_total{kind=\"g\\\"et\\n\"} 3\n", "sheaf_memory_bytes 12.5\n",
        "sheaf_call_seconds_count 2\n", "sheaf_call_seconds_bucket{le=\"0.003\"} 1\n",
        "sheaf_call_seconds_bucket{le=\"+Inf\"} 2\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
}

TEST(PrometheusMetricsTest, SeriesAreBounded) {
  auto metrics = MakePrometheusMetrics({.series_max = 3});
  for (int i = 0; i < 10; ++i) {
    metrics->MakeCounter("sheaf_x_total", "x", {{"who", std::to_string(i)}}).Increment();
  }
  const std::string text = metrics->Text();
  EXPECT_NE(text.find("sheaf_x_total{who=\"2\"} 1\n"), std::string::npos);
  EXPECT_EQ(text.find("who=\"3\""), std::string::npos);
  EXPECT_NE(text.find("sheaf_x_total{who=\"other\"} 7\n"), std::string::npos) << text;
}

TEST(PrometheusMetricsTest, SeriesMayBeMadeAndCountedFromManyThreads) {
  auto metrics = MakePrometheusMetrics();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        metrics->MakeCounter("sheaf_x_total", "x", {{"n", std::to_string(i % 10)}}).Increment();
        if (i % 100 == 0) metrics->Text();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_NE(metrics->Text().find("sheaf_x_total{n=\"0\"} 400\n"), std::string::npos);
}

}  // namespace
}  // namespace sheaf::observe
