// PLAN  keys end at blank, = or :, in any of them escaped or not · comments and empty lines · lines
//       that go on, also in keys and before values · escapes, surrogate pairs, halves refused by
//       line · NUL, empty values, placeholders survive · the later of two wins · Latin-1 and UTF-8
//       · ends of lines of all systems · the limits · lines are counted
#include "sheaf/wire/properties/properties.h"

#include <gtest/gtest.h>

namespace sheaf::properties {
namespace {

using Entries = std::vector<Entry>;

Entries Parsed(std::string_view text) {
  auto parsed = ParseProperties(text);
  if (parsed.ok()) return *std::move(parsed);
  ADD_FAILURE() << parsed.error().message;
  return {};
}
std::string Value(std::string_view text) {
  const Entries entries = Parsed(text);
  EXPECT_EQ(entries.size(), 1u) << text;
  return entries.empty() ? "" : entries[0].value;
}
std::string Refused(std::string_view text, const PropertyLimits& limits = {}) {
  const auto parsed = ParseProperties(text, limits);
  return parsed.ok() ? "not refused" : parsed.error().message;
}

TEST(PropertiesTest, AKeyEndsAtEqualsColonOrBlank) {
  const Entries want = {{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", "= 4", 4},
                        {"e", "", 5},  {"", "6", 6},  {"g", "x=y:z", 7}};
  EXPECT_EQ(Parsed("a=1\nb : 2\n \tc   3\nd = = 4\ne\n=6\ng x=y:z\n"), want);
}

TEST(PropertiesTest, EscapedSeparatorsBelongToTheKey) {
  const Entries want = {{"a b=c:d#e", "v ", 1}};
  EXPECT_EQ(Parsed("a\\ b\\=c\\:d\\#e v "), want);
}

TEST(PropertiesTest, CommentsAndEmptyLinesAreNothing) {
  const Entries want = {{"a", "1 # not one", 5}};
  EXPECT_EQ(Parsed("# one \\\n  ! another\n\n \t\f\na=1 # not one\n#last"), want);
}

TEST(PropertiesTest, ALineGoesOnBehindABackslash) {
  EXPECT_EQ(Value("a=one,\\\n    two,\\\r\n\tthree"), "one,two,three");
  EXPECT_EQ(Value("a=even\\\\\n"), "even\\");
  EXPECT_EQ(Value("a=odd\\\\\\\nmore"), "odd\\more");
  const Entries keys = {{"ab", "1", 1}, {"c", "2", 3}};
  EXPECT_EQ(Parsed("a\\\n b=1\nc \\\n  = \\\n 2"), keys);
  EXPECT_EQ(Value("a=#\\\n#no comment"), "##no comment");
}

TEST(PropertiesTest, EscapesAreThoseOfJava) {
  EXPECT_EQ(Value("a=\\t\\n\\r\\f\\q\\\\"), "\t\n\r\fq\\");
  EXPECT_EQ(Value("a=\\u0041\\u00e4\\u20AC\\ud83d\\ude00"), "A\u00e4\u20ac\U0001F600");
  EXPECT_EQ(Value("a=at the end\\"), "at the end");
}

TEST(PropertiesTest, AnEscapeThatIsNoneIsRefusedByItsLine) {
  EXPECT_EQ(Refused("a=1\nb=\\u12"), "line 2: \\u without 4 digits");
  EXPECT_EQ(Refused("a=1\n\nb=\\u12g4"), "line 3: \\u without 4 digits");
  EXPECT_EQ(Refused("b=\\ud83d"), "line 1: half of a character in \\uXXXX");
  EXPECT_EQ(Refused("b=\\ud83d\\u0041"), "line 1: half of a character in \\uXXXX");
  EXPECT_EQ(Refused("b=\\ude00"), "line 1: half of a character in \\uXXXX");
}

TEST(PropertiesTest, ValuesSurvive) {
  EXPECT_EQ(Value("a=\\u0000"), std::string(1, '\0'));
  EXPECT_EQ(Value("a=${user.home}/$x ${"), "${user.home}/$x ${");
  EXPECT_EQ(Value("a='\"';--"), "'\"';--");
  const std::string large(size_t{64} << 20, 'x');
  EXPECT_EQ(Value("a=" + large), large);
}

TEST(PropertiesTest, OfTwoValuesTheLaterOneCounts) {
  const Entries want = {{"a", "3", 3}, {"b", "2", 2}};
  EXPECT_EQ(Parsed("a=1\nb=2\na=3"), want);
}

TEST(PropertiesTest, AFileThatIsNoUtf8IsLatin1) {
  EXPECT_EQ(Value("a=\xe4"), "\u00e4");
  EXPECT_EQ(Value("a=\u00e4"), "\u00e4");
  EXPECT_EQ(Value("\xEF\xBB\xBF"
                  "a=1"),
            "1");
}

TEST(PropertiesTest, EveryEndOfALineIsOne) {
  const Entries want = {{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", "4", 5}};
  EXPECT_EQ(Parsed("a=1\rb=2\r\nc=3\n\rd=4"), want);
}

TEST(PropertiesTest, LimitsAreSaid) {
  EXPECT_EQ(Refused("abcdef", {.bytes_max = 5}), "6 bytes, and 5 are the most");
  EXPECT_EQ(Refused("a\nb\na\nc\n", {.keys_max = 2}), "line 4: more than 2 keys");
}

}  // namespace
}  // namespace sheaf::properties
