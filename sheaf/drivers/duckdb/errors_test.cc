// PLAN  lines and columns count from 1, columns in characters · the caret stands under the place,
//       in long lines too · a position outside the text is no position
#include "sheaf/drivers/duckdb/errors.h"

#include <gtest/gtest.h>

namespace sheaf::duckdb {
namespace {

TEST(CaretTest, StandsUnderThePlaceOnTheRightLine) {
  const std::string sql = "select a,\n  b c d\nfrom t";
  EXPECT_EQ(Caret(sql, sql.find("c d")), "LINE 2:   b c d\n            ^");
  EXPECT_EQ(Caret(sql, 0), "LINE 1: select a,\n        ^");
}

TEST(CaretTest, CountsCharactersNotBytes) {
  const std::string sql = "select 'äöü', x";
  const Place place = PlaceOf(sql, sql.find('x'));
  EXPECT_EQ(place.column, 15u);
  EXPECT_EQ(Caret(sql, sql.find('x')), "LINE 1: " + sql + "\n" + std::string(8 + 14, ' ') + "^");
}

TEST(CaretTest, LongLinesAreCutAroundThePlace) {
  const std::string sql = std::string(500, 'a').append("X").append(500, 'b');
  const std::string caret = Caret(sql, 500);
  EXPECT_LT(caret.size(), 300u);
  const size_t second = caret.find('\n') + 1;
  EXPECT_EQ(caret[caret.find('^') - second], 'X');
}

TEST(CaretTest, TabsAndControlCharactersAreBlanks) {
  EXPECT_EQ(Caret("a\tb\rc", 4), "LINE 1: a b c\n            ^");
}

TEST(CaretTest, EndOfTextIsAPlace) {
  EXPECT_EQ(Caret("select", 6), "LINE 1: select\n              ^");
}

TEST(SqlErrorTest, DetailsHoldThePlace) {
  const Error error = SqlError(Kind::kFailed, "no", "a\nbc", 3);
  EXPECT_EQ(error.details, R"({"position": 3, "line": 2, "column": 2})");
  EXPECT_EQ(error.message, "no\nLINE 2: bc\n         ^");
}

TEST(SqlErrorTest, APositionOutsideTheTextIsNone) {
  const Error error = SqlError(Kind::kFailed, "no", "abc", 4);
  EXPECT_EQ(error.message, "no");
  EXPECT_TRUE(error.details.empty());
}

}  // namespace
}  // namespace sheaf::duckdb
