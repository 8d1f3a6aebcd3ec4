// PLAN  paths have 1 to 16 parts of 1 to 255 bytes of UTF-8 without NUL · keys go there and back
//       and order as the lists do · texts never mislead · prefixes are whole parts
#include "sheaf/wire/command/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sheaf/base/core/core.h"

namespace sheaf::command {
namespace {

using ::testing::HasSubstr;

using Parts = std::vector<std::string>;
Path MakePath(Parts parts) { return *Path::Make(std::move(parts)); }

TEST(PathTest, PartsAreCountedAndMeasured) {
  EXPECT_TRUE(Path::Make(Parts(16, std::string(255, 'x'))).ok());
  EXPECT_FALSE(Path::Make({}).ok());
  EXPECT_FALSE(Path::Make(Parts(17, "x")).ok());
  EXPECT_FALSE(Path::Make({"a", ""}).ok());
  EXPECT_FALSE(Path::Make({std::string(256, 'x')}).ok());
  EXPECT_EQ(Path::Make({""}).error().kind, Kind::kInvalid);
}

TEST(PathTest, PartsAreUtf8WithoutNul) {
  for (const auto* good : {"é", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xe0\xa0\x80",
                           "\xf4\x8f\xbf\xbf", "a b", ".."}) {
    EXPECT_TRUE(Path::Make({good}).ok()) << good;
  }
  for (const auto* bad : {"\xff", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xe2\x82", "a\xe2", "\xc3("}) {
    EXPECT_FALSE(Path::Make({bad}).ok()) << bad;
  }
  EXPECT_THAT(Path::Make({std::string("a\0b", 3)}).error().message, HasSubstr("NUL"));
}

TEST(PathTest, JsonOfAnotherShapeIsRefusedWithItsPlace) {
  EXPECT_EQ(Path::FromJson({"a", "b"}, "sink.path")->Text(), "a/b");
  EXPECT_THAT(Path::FromJson("a", "sink.path").error().message,
              HasSubstr("sink.path: expected a list of strings, found string"));
  EXPECT_FALSE(Path::FromJson({"a", 1}, "p").ok());
  EXPECT_FALSE(Path::FromJson(Json(std::vector<std::string>(100'000, "a")), "p").ok());
  EXPECT_EQ(Path::FromJson(Json::array(), "").error().message, "a path has at least one part");
}

TEST(PathTest, KeysGoThereAndBack) {
  for (const Parts& parts : {Parts{"a"}, Parts{"a", "b", "c"}, Parts{"a/b", "\\", "é"}}) {
    const Path path = MakePath(parts);
    EXPECT_EQ(Path::FromKey(path.Key()), path);
    EXPECT_EQ(*Path::FromJson(path.ToJson(), ""), path);
  }
  EXPECT_TRUE(Path::FromKey(Path().Key()).empty());
}

TEST(PathTest, KeysOrderAsTheListsOfPartsDo) {
  std::vector<Path> paths = {MakePath({"b"}),      MakePath({"a", "z"}), MakePath({"a"}),
                             MakePath({"a\x01"}),  MakePath({"ab"}),     MakePath({"a", "b", "c"}),
                             MakePath({"a", "b"}), MakePath({"é"})};
  std::sort(paths.begin(), paths.end());
  EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end(),
                             [](const Path& a, const Path& b) { return a.Key() < b.Key(); }));
  EXPECT_LT(MakePath({"a", "z"}), MakePath({"a\x01"}));
}

TEST(PathTest, TextsOfDifferentPathsDiffer) {
  EXPECT_EQ(MakePath({"raw", "orders"}).Text(), "raw/orders");
  EXPECT_EQ(MakePath({"a/b", "c\\"}).Text(), "a\\/b/c\\\\");
  EXPECT_NE(MakePath({"a/b"}).Text(), MakePath({"a", "b"}).Text());
}

TEST(PathTest, APrefixIsMadeOfWholeParts) {
  const Path path = MakePath({"raw", "orders"});
  EXPECT_TRUE(path.StartsWith(MakePath({"raw"})));
  EXPECT_TRUE(path.StartsWith(path));
  EXPECT_TRUE(path.StartsWith(Path()));
  EXPECT_FALSE(path.StartsWith(MakePath({"ra"})));
  EXPECT_FALSE(path.StartsWith(MakePath({"raw", "orders", "x"})));
  EXPECT_EQ(path.space(), "raw");
}

}  // namespace
}  // namespace sheaf::command
