// PLAN  stars, question marks, sets, ranges, negation · a bracket without its end is a letter
//       · UTF-8 characters are whole · many stars take no exponential time
#include "sheaf/services/files/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace sheaf::files {
namespace {

TEST(GlobTest, PatternsMatchWholeNames) {
  EXPECT_TRUE(MatchPart("*", ""));
  EXPECT_TRUE(MatchPart("*.csv", "a.csv"));
  EXPECT_TRUE(MatchPart("*.csv", ".csv"));
  EXPECT_FALSE(MatchPart("*.csv", "a.csv.gz"));
  EXPECT_TRUE(MatchPart("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(MatchPart("a*b*c", "aXc"));
  EXPECT_TRUE(MatchPart("part-???.parquet", "part-012.parquet"));
  EXPECT_FALSE(MatchPart("part-???.parquet", "part-12.parquet"));
  EXPECT_TRUE(MatchPart("", ""));
  EXPECT_FALSE(MatchPart("", "a"));
  EXPECT_FALSE(MatchPart("?", ""));
}

TEST(GlobTest, SetsMatchOneCharacter) {
  EXPECT_TRUE(MatchPart("[abc].csv", "b.csv"));
  EXPECT_FALSE(MatchPart("[abc].csv", "d.csv"));
  EXPECT_TRUE(MatchPart("202[0-6]", "2024"));
  EXPECT_FALSE(MatchPart("202[0-6]", "2027"));
  EXPECT_TRUE(MatchPart("[!0-9]x", "ax"));
  EXPECT_FALSE(MatchPart("[^0-9]x", "3x"));
  EXPECT_TRUE(MatchPart("[]]", "]"));
  EXPECT_TRUE(MatchPart("[a-]", "-"));
  EXPECT_TRUE(MatchPart("[[]1]", "[1]"));
  EXPECT_FALSE(MatchPart("[z-a]", "m"));
}

TEST(GlobTest, BracketWithoutItsEndIsALetter) {
  EXPECT_TRUE(MatchPart("a[b", "a[b"));
  EXPECT_FALSE(MatchPart("a[b", "ab"));
  EXPECT_TRUE(MatchPart("*[", "x["));
}

TEST(GlobTest, CharactersAreWhole) {
  EXPECT_TRUE(MatchPart("?.csv", "é.csv"));
  EXPECT_FALSE(MatchPart("??.csv", "é.csv"));
  EXPECT_TRUE(MatchPart("[à-ü]", "é"));
  EXPECT_TRUE(MatchPart("*é", "caffé"));
  EXPECT_TRUE(MatchPart("?", "\xff"));
}

TEST(GlobTest, ManyStarsStaySwift) {
  std::string pattern;
  for (int n = 0; n < 60; ++n) pattern += "*a";
  EXPECT_FALSE(MatchPart(pattern + "b", std::string(4'000, 'a')));
}

TEST(GlobTest, MagicIsSeen) {
  EXPECT_TRUE(HasMagic("a*"));
  EXPECT_TRUE(HasMagic("a?"));
  EXPECT_TRUE(HasMagic("[a]"));
  EXPECT_FALSE(HasMagic("a]b{c}"));
}

}  // namespace
}  // namespace sheaf::files
