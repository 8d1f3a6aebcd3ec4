// PLAN  the same name and labels give the same series · other labels another · text lists all
#include "sheaf/base/observe/observe.h"

#include <gtest/gtest.h>

namespace sheaf::observe {
namespace {

TEST(MemoryMetricsTest, TheSameNameAndLabelsGiveTheSameSeries) {
  MemoryMetrics metrics;
  metrics.MakeCounter("hits", "", {{"tier", "disk"}}).Add(2);
  metrics.MakeCounter("hits", "", {{"tier", "disk"}}).Increment();
  metrics.MakeCounter("hits", "", {{"tier", "memory"}}).Increment();
  EXPECT_EQ(metrics.Value("hits{tier=\"disk\"}"), 3);
  EXPECT_EQ(metrics.Value("hits{tier=\"memory\"}"), 1);
  EXPECT_EQ(metrics.Value("misses"), 0);
}

TEST(MemoryMetricsTest, TextListsEverySeries) {
  MemoryMetrics metrics;
  metrics.MakeGauge("open", "", {}).Set(4);
  metrics.MakeHistogram("seconds", "", {}, DurationBounds()).Observe(0.5);
  EXPECT_NE(metrics.Text().find("open 4"), std::string::npos);
  EXPECT_NE(metrics.Text().find("seconds 1"), std::string::npos);
}

TEST(FieldTest, KeepsIntegersTextAndDoublesApart) {
  EXPECT_TRUE(std::holds_alternative<int64_t>(Field("n", 3).value));
  EXPECT_TRUE(std::holds_alternative<std::string_view>(Field("s", "x").value));
  EXPECT_TRUE(std::holds_alternative<double>(Field("d", 0.5).value));
}

}  // namespace
}  // namespace sheaf::observe
