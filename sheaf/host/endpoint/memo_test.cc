// PLAN  what was kept is found by the same bytes · the least recently used goes first · long
//       commands are not kept
#include "sheaf/host/endpoint/memo.h"

#include <gtest/gtest.h>

namespace sheaf::endpoint {
namespace {

Remembered Named(const std::string& service) {
  auto command = std::make_shared<Command>();
  command->service = service;
  return {command, Identity{service}};
}

TEST(MemoTest, FindsByTheSameBytesOnly) {
  Memo memo(4);
  memo.Keep("{1}", Named("one"));
  ASSERT_TRUE(memo.Find("{1}").has_value());
  EXPECT_EQ(memo.Find("{1}")->command->service, "one");
  EXPECT_FALSE(memo.Find("{1} ").has_value());
}

TEST(MemoTest, TheLeastRecentlyUsedGoesFirst) {
  Memo memo(2);
  memo.Keep("a", Named("a"));
  memo.Keep("b", Named("b"));
  ASSERT_TRUE(memo.Find("a").has_value());
  memo.Keep("c", Named("c"));
  EXPECT_TRUE(memo.Find("a").has_value());
  EXPECT_FALSE(memo.Find("b").has_value());
  EXPECT_EQ(memo.size(), 2u);
}

TEST(MemoTest, LongCommandsAreNotKept) {
  Memo memo(2);
  memo.Keep(std::string(Memo::kBytesMax + 1, 'x'), Named("long"));
  EXPECT_EQ(memo.size(), 0u);
}

}  // namespace
}  // namespace sheaf::endpoint
