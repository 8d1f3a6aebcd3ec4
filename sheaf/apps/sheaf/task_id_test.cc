// PLAN  a task by its first digits: one, none, several, and what is no beginning

#include "sheaf/apps/sheaf/task_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using ::testing::HasSubstr;

const std::string kOne = "0f3c5d00000000000000000000000001";
const std::string kTwo = "0f3c5d00000000000000000000000002";
const std::string kThree = "abcdef00000000000000000000000003";

TEST(TaskIdTest, FirstDigitsNameOneTask) {
  const std::vector<Json> tasks{{{"task", kOne}}, {{"task", kTwo}}, {{"task", kThree}}};
  EXPECT_EQ(WholeTaskId("abcdef", tasks).value(), kThree);
  EXPECT_EQ(WholeTaskId(kOne.substr(0, 31) + "2", tasks).value(), kTwo);
  EXPECT_EQ(WholeTaskId("abcdef00", tasks).value(), kThree);
}

TEST(TaskIdTest, NoneAndSeveralAreErrors) {
  const std::vector<Json> tasks{{{"task", kOne}}, {{"task", kTwo}}};
  const auto several = WholeTaskId("0f3c5d", tasks);
  ASSERT_FALSE(several.ok());
  EXPECT_EQ(several.error().kind, Kind::kInvalid);
  EXPECT_THAT(several.error().message, HasSubstr(kOne + ", " + kTwo));
  const auto none = WholeTaskId("abcdef", tasks);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind, Kind::kNotFound);
  EXPECT_THAT(none.error().message, HasSubstr("'abcdef'"));
}

TEST(TaskIdTest, WhatIsNoBeginningIsTheServersToJudge) {
  const std::vector<Json> tasks{{{"task", kOne}}};
  for (const auto* given : {"0f3c5", "", "nothing", "0F3C5D"}) {
    EXPECT_EQ(WholeTaskId(given, tasks).value(), given);
  }
  EXPECT_EQ(WholeTaskId(kThree, tasks).value(), kThree);
}

}  // namespace
}  // namespace sheaf::app
