// PLAN  times in every form that people write, and how long ago · what is none names the forms ·
//       ends of pages there and back · documents are opened, other things stay

#include "sheaf/apps/sheaf/history_words.h"

#include <gtest/gtest.h>

#include "sheaf/base/time/time.h"

namespace sheaf::app {
namespace {

TEST(HistoryWordsTest, TimesAreMillisecondsOfUtc) {
  for (const char* text : {"2026-11-23T06:10:00Z", "2026-11-23T06:10:00", "2026-11-23 06:10:00",
                           "2026-11-23T06:10Z", "2026-11-23 06:10", "1795414200000"}) {
    EXPECT_EQ(ParseTime(text).value(), 1'795'414'200'000) << text;
  }
  EXPECT_EQ(ParseTime("1970-01-02").value(), 86'400'000);
  EXPECT_EQ(ParseTime("-5").value(), -5);
  const int64_t now = time::SystemClock().Wall().micros / 1000;
  const int64_t ago = ParseTime("2h").value();
  EXPECT_NEAR(static_cast<double>(now - ago), 7.2e6, 60'000);
}

TEST(HistoryWordsTest, WhatIsNoTimeNamesTheForms) {
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-11-23T06:10:00Zx"}) {
    const auto wrong = ParseTime(text);
    ASSERT_FALSE(wrong.ok()) << text;
    EXPECT_EQ(wrong.error().kind, Kind::kInvalid);
    EXPECT_NE(wrong.error().message.find("2026-11-23"), std::string::npos);
  }
}

TEST(HistoryWordsTest, EndsOfPagesGoThereAndBack) {
  const persistence::Cursor cursor{INT64_MAX, 12, INT64_MIN};
  EXPECT_EQ(ParseCursor(CursorText(cursor)).value(), cursor);
  for (const char* wrong : {"", "1", "1:2", "1:2:3:4", "1:2:x", ":2:3", "1:2:"}) {
    EXPECT_FALSE(ParseCursor(wrong).ok()) << wrong;
  }
}

TEST(HistoryWordsTest, DocumentsInsideAreOpened) {
  const Json opened = Opened({{"specification", R"({"a":1})"}, {"detail", "plain"}, {"id", 3}});
  EXPECT_EQ(opened["specification"]["a"], 1);
  EXPECT_EQ(opened["detail"], "plain");
  EXPECT_EQ(Opened(Json::array()), Json::array());
}

}  // namespace
}  // namespace sheaf::app
