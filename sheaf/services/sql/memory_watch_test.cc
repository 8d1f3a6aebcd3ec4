// PLAN  growth within the shares is fine · beyond shares and slack the youngest goes, and no other
//       · results that left do not count · the baseline begins anew when nothing runs
#include "sheaf/services/sql/memory_watch.h"

#include <gtest/gtest.h>

#include <optional>

namespace sheaf::sql {
namespace {

class MemoryWatchTest : public ::testing::Test {
 protected:
  Bytes resident_ = 100_MiB;
  MemoryWatch watch_{[this] { return resident_; }, 50_MiB};
};

TEST_F(MemoryWatchTest, GrowthWithinTheSharesIsFine) {
  MemoryWatch::Share one(watch_, 200_MiB);
  resident_ = 350_MiB;
  EXPECT_FALSE(one.Outgrown());
  resident_ = 351_MiB;
  EXPECT_TRUE(one.Outgrown());
}

TEST_F(MemoryWatchTest, TheYoungestGoesFirst) {
  MemoryWatch::Share old(watch_, 100_MiB);
  std::optional<MemoryWatch::Share> young;
  young.emplace(watch_, 100_MiB);
  resident_ = 400_MiB;
  EXPECT_FALSE(old.Outgrown());
  EXPECT_TRUE(young->Outgrown());
  young.reset();
  EXPECT_TRUE(old.Outgrown());
}

TEST_F(MemoryWatchTest, ResultsThatLeftDoNotCount) {
  MemoryWatch::Share one(watch_, 100_MiB);
  resident_ = 300_MiB;
  EXPECT_TRUE(one.Outgrown());
  one.Wrote(60_MiB);
  EXPECT_FALSE(one.Outgrown());
}

TEST_F(MemoryWatchTest, TheBaselineBeginsAnew) {
  std::optional<MemoryWatch::Share> first;
  first.emplace(watch_, 10_MiB);
  first.reset();
  resident_ = 1_GiB;
  MemoryWatch::Share second(watch_, 10_MiB);
  EXPECT_FALSE(second.Outgrown());
}

}  // namespace
}  // namespace sheaf::sql
