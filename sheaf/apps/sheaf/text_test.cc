// PLAN  widths of wide and combining characters · nothing that a terminal obeys gets through ·
//       cutting keeps whole characters · numbers and durations as people write them

#include "sheaf/apps/sheaf/text.h"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(TextTest, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(Width("abc"), 3u);
  EXPECT_EQ(Width("Grüße"), 5u);
  EXPECT_EQ(Width("日本"), 4u);
  EXPECT_EQ(Width("e\u0301"), 1u);
  EXPECT_EQ(Width("\xff\xfe"), 2u);
}

TEST(TextTest, WhatATerminalWouldObeyIsShownInstead) {
  EXPECT_EQ(Printable("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(Printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(Printable("\u202Eevil"), "\\u202eevil");
  EXPECT_EQ(Printable("\u009b31m"), "\\x9b31m");
  EXPECT_EQ(Printable("\xc3("), "\\xc3(");
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(Printable("Grüße 日本"), "Grüße 日本");
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\x00");
}

TEST(TextTest, CutKeepsWholeCharacters) {
  EXPECT_EQ(Cut("abcdef", 6), "abcdef");
  EXPECT_EQ(Cut("abcdef", 4), "abc…");
  EXPECT_EQ(Cut("日本語", 5), "日本…");
  EXPECT_EQ(Cut("日本語", 4), "日…");
  EXPECT_EQ(Cut("abc", 0), "");
}

TEST(TextTest, PadAligns) {
  EXPECT_EQ(Pad("ü", 3, Align::kLeft), "ü  ");
  EXPECT_EQ(Pad("日", 3, Align::kRight), " 日");
  EXPECT_EQ(Pad("long", 2, Align::kRight), "long");
}

TEST(TextTest, NumbersAreGrouped) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(-1234567), "-1,234,567");
  EXPECT_EQ(Grouped(-100), "-100");
}

TEST(TextTest, DurationsReadAndPrint) {
  EXPECT_EQ(Seconds(milliseconds(31)), "0.031 s");
  EXPECT_EQ(Seconds(seconds(125)), "2 min 5 s");
  EXPECT_EQ(ParseDuration("90").value(), seconds(90));
  EXPECT_EQ(ParseDuration("2h").value(), seconds(7200));
  EXPECT_EQ(ParseDuration("250ms").value(), milliseconds(250));
  EXPECT_EQ(ParseDuration("7d").value(), seconds(7 * 86400));
  for (const char* bad : {"", "x", "5 weeks", "-1s", "1e300", "nan"}) {
    EXPECT_EQ(ParseDuration(bad).error().kind, Kind::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace sheaf::app
