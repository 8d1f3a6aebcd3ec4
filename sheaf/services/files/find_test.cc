// PLAN  relative names are looked up in the roots in order · absolute ones and file: only below
//       roots · "..", encoded dots, NUL and other schemes are refused · links are followed inside
//       and refused outside, alike whether or not there is anything · globs and directories are
//       sorted · pipes and devices are no files · what a link replaced after the plan is not opened
#include "sheaf/services/files/find.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sheaf/services/files/fixture_test.h"

namespace sheaf::files {
namespace {

namespace fs = std::filesystem;

class FindTest : public FilesTest {
 protected:
  // Paths of what a spec means, relative to the root when they lie in it.
  std::vector<std::string> Names(const std::string& spec) {
    const auto plan = Plan(spec);
    if (!plan.ok()) {
      ADD_FAILURE() << spec << ": " << plan.error().message;
      return {};
    }
    std::vector<std::string> names;
    for (const auto& source : plan->sources) {
      const std::string path = source.source.substr(std::string("file://").size());
      const bool inside = path.starts_with(dir_.path() + "/");
      names.push_back(inside ? path.substr(dir_.path().size() + 1) : path);
    }
    return names;
  }
  std::vector<std::string> NamesOf(const std::string& uri) {
    return Names(Json{{"uri", uri}}.dump());
  }
  Error PlanError(const std::string& uri) {
    const auto plan = service().MakePlan({Json{{"uri", uri}}, {}, "anonymous"});
    if (!plan.ok()) return plan.error();
    ADD_FAILURE() << "no error from " << uri;
    return Fail(Kind::kInternal, "none");
  }
  using List = std::vector<std::string>;
};

TEST_F(FindTest, RelativeNamesAreLookedUpInTheRootsInOrder) {
  TempDir second;
  dir_.Write("both.csv", "a\n1\n");
  second.Write("both.csv", "a\n2\n");
  const std::string only = second.Write("sub/only.csv", "a\n3\n");
  Start(Json::array({dir_.path(), second.path()}));
  EXPECT_EQ(NamesOf("both.csv"), List{"both.csv"});
  EXPECT_EQ(NamesOf("sub/only.csv"), List{only});
  EXPECT_EQ(NamesOf("./sub//only.csv"), List{only});
  EXPECT_EQ(NamesOf("sub/*.csv"), List{only});
  const Error error = PlanError("none.csv");
  EXPECT_EQ(error.kind, Kind::kNotFound);
  EXPECT_EQ(error.message, "no file 'none.csv' in the roots " + dir_.path() + ", " + second.path());
}

TEST_F(FindTest, RootsMayBeOneStringWithCommasAndNeedNotExist) {
  dir_.Write("a.csv", "a\n1\n");
  Start(Json("/nowhere/at/all , " + dir_.path()));
  EXPECT_EQ(NamesOf("a.csv"), List{"a.csv"});
  EXPECT_EQ(NamesOf(dir_ / "a.csv"), List{"a.csv"});
}

TEST_F(FindTest, WithoutRootsEverythingIsForbidden) {
  const std::string path = dir_.Write("a.csv", "a\n1\n");
  for (const Json& roots : {Json(), Json::array(), Json("")}) {
    Start(roots);
    for (const std::string& uri : {std::string("a.csv"), path}) {
      const Error error = PlanError(uri);
      EXPECT_EQ(error.kind, Kind::kForbidden);
      EXPECT_NE(error.message.find("files.roots"), std::string::npos) << error.message;
    }
  }
}

TEST_F(FindTest, AbsoluteNamesAndFileUrisOnlyBelowRoots) {
  const std::string path = dir_.Write("sub/a b.csv", "a\n1\n");
  EXPECT_EQ(NamesOf(path), List{"sub/a b.csv"});
  EXPECT_EQ(NamesOf("file://" + dir_.path() + "/sub/a%20b.csv"), List{"sub/a b.csv"});
  EXPECT_EQ(NamesOf("file://localhost" + dir_.path() + "/sub/a%20b.csv"), List{"sub/a b.csv"});
  EXPECT_EQ(NamesOf("FILE:" + dir_.path() + "/sub/a%20b.csv"), List{"sub/a b.csv"});
  EXPECT_EQ(PlanError(dir_ / "none.csv").kind, Kind::kNotFound);
  TempDir outside;
  const std::string there = outside.Write("there.csv", "a\n1\n");
  const std::string gone = outside / "gone.csv";
  for (const std::string prefix : {"", "file://"}) {
    const Error first = PlanError(prefix + there);
    const Error second = PlanError(prefix + gone);
    EXPECT_EQ(first.kind, Kind::kForbidden);
    EXPECT_EQ(second.kind, Kind::kForbidden);
    EXPECT_EQ(first.message, "'" + prefix + there + "' is not below files.roots");
    EXPECT_EQ(second.message, "'" + prefix + gone + "' is not below files.roots");
  }
  EXPECT_EQ(PlanError("/etc/passwd").kind, Kind::kForbidden);
  EXPECT_EQ(PlanError(dir_.path() + "-more/a.csv").kind, Kind::kForbidden);
  EXPECT_EQ(PlanError("/").kind, Kind::kForbidden);
}

TEST_F(FindTest, DotsThatClimbAreForbiddenHoweverWritten) {
  dir_.Write("a.csv", "a\n1\n");
  dir_.Write("sub/b.csv", "a\n1\n");
  for (const std::string uri :
       {"../a.csv", "sub/../a.csv", "sub/../../etc/passwd", "..", "%2e%2e/a.csv", "%2E%2e/a.csv",
        ".%2e/etc/passwd", "sub%2f..%2f..%2fetc%2fpasswd", "a%00.csv"}) {
    EXPECT_EQ(PlanError(uri).kind, Kind::kForbidden) << uri;
  }
  for (const std::string uri : {"/../etc/passwd", "/sub/%2e%2e/%2e%2e/etc/passwd"}) {
    EXPECT_EQ(PlanError("file://" + dir_.path() + uri).kind, Kind::kForbidden) << uri;
  }
  EXPECT_EQ(PlanError(dir_.path() + "/../x.csv").kind, Kind::kForbidden);
  dir_.Write("100%.csv", "a\n1\n");
  dir_.Write("a..b.csv", "a\n1\n");
  EXPECT_EQ(NamesOf("100%.csv"), List{"100%.csv"});
  EXPECT_EQ(NamesOf("a..b.csv"), List{"a..b.csv"});
}

TEST_F(FindTest, MalformedUrisAreInvalid) {
  EXPECT_EQ(PlanError("").kind, Kind::kInvalid);
  EXPECT_EQ(PlanError(std::string("a\0.csv", 6)).kind, Kind::kInvalid);
  EXPECT_EQ(PlanError("file:///a%0").kind, Kind::kInvalid);
  EXPECT_EQ(PlanError("file:///a%zz").kind, Kind::kInvalid);
  EXPECT_EQ(PlanError("file://host/a.csv").kind, Kind::kInvalid);
  EXPECT_EQ(PlanError("file:a.csv").kind, Kind::kInvalid);
  EXPECT_EQ(PlanError("file://" + dir_.path() + "/a%00b").kind, Kind::kInvalid);
  EXPECT_EQ(PlanError(std::string(5'000, 'a')).kind, Kind::kInvalid);
  std::string deep;
  for (int n = 0; n < 300; ++n) deep += "a/";
  EXPECT_EQ(PlanError(deep).kind, Kind::kInvalid);
}

TEST_F(FindTest, OtherSchemesAreNamed) {
  for (const std::string uri : {"s3://b/a.csv", "http://h/a.csv", "gs://b/a", "hdfs://h/a"}) {
    const Error error = PlanError(uri);
    EXPECT_EQ(error.kind, Kind::kUnsupported) << uri;
    EXPECT_NE(error.message.find("is not on this node yet"), std::string::npos) << error.message;
  }
  EXPECT_EQ(PlanError("gopher://host/a.csv").kind, Kind::kInvalid);
  dir_.Write("a:b.csv", "a\n1\n");
  EXPECT_EQ(NamesOf("./a:b.csv"), List{"a:b.csv"});
}

TEST_F(FindTest, LinksInsideAreFollowed) {
  const std::string real = dir_.Write("data/2024/a.csv", "a\n1\n");
  fs::create_symlink("2024", dir_ / "data/latest");
  fs::create_symlink(real, dir_ / "absolute.csv");
  fs::create_symlink("data/latest/a.csv", dir_ / "chain.csv");
  fs::create_symlink("../data", dir_ / "data/up");
  fs::create_symlink(".", dir_ / "self");
  for (const std::string uri : {"data/latest/a.csv", "absolute.csv", "chain.csv",
                                "data/up/latest/a.csv", "self/self/data/2024/a.csv"}) {
    EXPECT_EQ(NamesOf(uri), List{"data/2024/a.csv"}) << uri;
  }
}

TEST_F(FindTest, LinksIntoAnotherRootAreFollowed) {
  TempDir second;
  const std::string there = second.Write("x/a.csv", "a\n1\n");
  fs::create_symlink(second.path(), dir_ / "other");
  EXPECT_EQ(PlanError("other/x/a.csv").kind, Kind::kForbidden);
  Start(Json::array({dir_.path(), second.path()}));
  EXPECT_EQ(NamesOf("other/x/a.csv"), List{there});
}

TEST_F(FindTest, RootThatIsALinkIsAlsoKnownByItsRealName) {
  const std::string real = dir_.Write("data/a.csv", "a\n1\n");
  fs::create_symlink(dir_ / "data", dir_ / "alias");
  fs::create_symlink(dir_ / "alias/a.csv", dir_ / "data/again.csv");
  Start(Json::array({dir_ / "alias"}));
  EXPECT_EQ(NamesOf("a.csv"), List{"data/a.csv"});
  EXPECT_EQ(NamesOf(dir_ / "alias/a.csv"), List{"data/a.csv"});
  EXPECT_EQ(NamesOf(real), List{"data/a.csv"});
  EXPECT_EQ(NamesOf("again.csv"), List{"data/a.csv"});
}

TEST_F(FindTest, LinksOutsideAreForbiddenWhetherOrNotAnythingIsThere) {
  TempDir outside;
  const std::string there = outside.Write("there.csv", "a\n1\n");
  outside.Write("sub/b.csv", "a\n1\n");
  fs::create_symlink(there, dir_ / "there.csv");
  fs::create_symlink(outside / "gone.csv", dir_ / "gone.csv");
  fs::create_symlink(outside.path(), dir_ / "dir");
  fs::create_symlink(outside / "nowhere", dir_ / "nodir");
  fs::create_symlink("../" + fs::path(outside.path()).filename().string() + "/there.csv",
                     dir_ / "relative.csv");
  fs::create_symlink(dir_.path() + "/../../etc/passwd", dir_ / "dots.csv");
  for (const std::string uri : {"there.csv", "gone.csv", "dir/there.csv", "dir/gone.csv",
                                "nodir/x.csv", "relative.csv", "dots.csv"}) {
    const Error error = PlanError(uri);
    EXPECT_EQ(error.kind, Kind::kForbidden) << uri;
    EXPECT_EQ(error.message, "'" + uri + "' is not below files.roots");
  }
  EXPECT_EQ(PlanError("*.csv").kind, Kind::kForbidden);
  EXPECT_EQ(PlanError("*/b.csv").kind, Kind::kForbidden);
  EXPECT_EQ(host_.metrics().Value("sheaf_files_refused_total"), 9);
}

TEST_F(FindTest, LoopsOfLinksEnd) {
  fs::create_symlink("b.csv", dir_ / "a.csv");
  fs::create_symlink("a.csv", dir_ / "b.csv");
  fs::create_symlink("loop/x", dir_ / "loop");
  EXPECT_EQ(PlanError("a.csv").kind, Kind::kFailed);
  EXPECT_EQ(PlanError("loop/a.csv").kind, Kind::kFailed);
}

TEST_F(FindTest, GlobsAreSorted) {
  for (const std::string name :
       {"b/2.csv", "b/10.csv", "a/1.csv", "a/.hidden.csv", "a/deep/er/3.csv", "0.csv", "a/x.txt"}) {
    dir_.Write(name, "a\n1\n");
  }
  EXPECT_EQ(NamesOf("*/*.csv"), (List{"a/1.csv", "b/10.csv", "b/2.csv"}));
  EXPECT_EQ(NamesOf("**/*.csv"),
            (List{"0.csv", "a/1.csv", "a/deep/er/3.csv", "b/10.csv", "b/2.csv"}));
  EXPECT_EQ(NamesOf("a/**/3.csv"), List{"a/deep/er/3.csv"});
  EXPECT_EQ(NamesOf("[ab]/[12]*.csv"), (List{"a/1.csv", "b/10.csv", "b/2.csv"}));
  EXPECT_EQ(NamesOf("a/.h*.csv"), List{"a/.hidden.csv"});
  EXPECT_EQ(NamesOf(dir_ / "b/?.csv"), List{"b/2.csv"});
  EXPECT_EQ(NamesOf("**/**/**/3.csv"), List{"a/deep/er/3.csv"});
  EXPECT_EQ(Names(R"({"uris": ["b/*.csv", "0.csv"]})"), (List{"b/10.csv", "b/2.csv", "0.csv"}));
  EXPECT_EQ(Names(R"({"uri": "a/**", "format": "csv"})"),
            (List{"a/1.csv", "a/deep/er/3.csv", "a/x.txt"}));
}

TEST_F(FindTest, EmptyGlobIsNotFound) {
  dir_.Write("a.csv", "a\n1\n");
  const Error error = PlanError("*.parquet");
  EXPECT_EQ(error.kind, Kind::kNotFound);
  EXPECT_EQ(error.message, "no file matches '*.parquet' in the roots " + dir_.path());
  EXPECT_EQ(PlanError("none/*/x.csv").kind, Kind::kNotFound);
  EXPECT_EQ(PlanError("a.csv/*.csv").kind, Kind::kNotFound);
}

TEST_F(FindTest, NameWithPatternLettersMeansItselfFirst) {
  dir_.Write("a[1].csv", "a\n1\n");
  dir_.Write("a1.csv", "a\n1\n");
  EXPECT_EQ(NamesOf("a[1].csv"), List{"a[1].csv"});
  EXPECT_EQ(NamesOf("a[1]*.csv"), List{"a1.csv"});
}

TEST_F(FindTest, GlobsSkipDanglingLinksAndDoNotLoop) {
  dir_.Write("a/1.csv", "a\n1\n");
  fs::create_symlink("nothing.csv", dir_ / "a/0.csv");
  fs::create_symlink("..", dir_ / "a/back");
  EXPECT_EQ(NamesOf("a/*.csv"), List{"a/1.csv"});
  EXPECT_EQ(NamesOf("**/*.csv"), List{"a/1.csv"});
}

TEST_F(FindTest, DirectoryMeansItsDataFiles) {
  for (const std::string name :
       {"d/b.csv", "d/sub/a.tsv", "d/_SUCCESS", "d/.x.csv", "d/_tmp/c.csv", "d/readme.txt"}) {
    dir_.Write(name, "x");
  }
  EXPECT_EQ(NamesOf("d"), (List{"d/b.csv", "d/sub/a.tsv"}));
  EXPECT_EQ(NamesOf("d/"), (List{"d/b.csv", "d/sub/a.tsv"}));
  EXPECT_EQ(NamesOf("file://" + dir_.path() + "/d"), (List{"d/b.csv", "d/sub/a.tsv"}));
  EXPECT_EQ(NamesOf("."), (List{"d/b.csv", "d/sub/a.tsv"}));
  EXPECT_EQ(NamesOf(dir_.path()), (List{"d/b.csv", "d/sub/a.tsv"}));
  fs::create_directory(dir_ / "empty");
  EXPECT_EQ(PlanError("empty").kind, Kind::kNotFound);
}

TEST_F(FindTest, DirectoryOfTwoFormatsNeedsOneNamed) {
  dir_.Write("d/a.csv", "x");
  dir_.Write("d/b.json", "x");
  const Error error = PlanError("d");
  EXPECT_EQ(error.kind, Kind::kInvalid);
  EXPECT_EQ(error.message,
            "spec.format: 'd/a.csv' is csv but 'd/b.json' is json; ask for one format");
  EXPECT_EQ(Names(R"({"uri": "d", "format": "json"})"), List{"d/b.json"});
  EXPECT_EQ(PlanError("d/*").kind, Kind::kInvalid);
}

TEST_F(FindTest, UnknownSuffixNeedsAFormat) {
  dir_.Write("a.txt", "x");
  const Error error = PlanError("a.txt");
  EXPECT_EQ(error.kind, Kind::kInvalid);
  EXPECT_NE(error.message.find("no known suffix"), std::string::npos);
  EXPECT_EQ(Names(R"({"uri": "a.txt", "format": "csv"})"), List{"a.txt"});
}

TEST_F(FindTest, PipesAndDevicesAreNoFiles) {
  ASSERT_EQ(::mkfifo((dir_ / "pipe.csv").c_str(), 0600), 0);
  EXPECT_EQ(PlanError("pipe.csv").kind, Kind::kInvalid);
  Start(Json::array({"/dev"}));
  EXPECT_EQ(PlanError("null").kind, Kind::kInvalid);
}

TEST_F(FindTest, PipeThatReplacesAFileAfterThePlanDoesNotHoldTheThread) {
  dir_.Write("a.csv", "a\n1\n");
  const auto plan = Plan(R"({"uri": "a.csv"})");
  ASSERT_EQ(::unlink((dir_ / "a.csv").c_str()), 0);
  ASSERT_EQ(::mkfifo((dir_ / "a.csv").c_str(), 0600), 0);
  const Answer answer = RunPlan(*plan, Context());
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kInvalid);
}

TEST_F(FindTest, LinkThatReplacesAFileOrDirectoryAfterThePlanIsNotFollowed) {
  TempDir outside;
  outside.Write("a.csv", "a\nsecret\n");
  dir_.Write("d/a.csv", "a\n1\n");
  for (const std::string replaced : {"d/a.csv", "d"}) {
    const auto plan = Plan(R"({"uri": "d/a.csv"})");
    ASSERT_TRUE(plan.ok());
    fs::remove_all(dir_ / replaced);
    fs::create_symlink(replaced == "d" ? outside.path() : outside / "a.csv", dir_ / replaced);
    const Answer answer = RunPlan(*plan, Context());
    ASSERT_FALSE(answer.status.ok());
    EXPECT_EQ(answer.status.error().kind, Kind::kForbidden) << answer.status.error().message;
    fs::remove_all(dir_ / "d");
    dir_.Write("d/a.csv", "a\n1\n");
  }
}

TEST_F(FindTest, FileRemovedAfterThePlanIsNotFound) {
  dir_.Write("a.csv", "a\n1\n");
  const auto plan = Plan(R"({"uri": "a.csv"})");
  fs::remove(dir_ / "a.csv");
  const Answer answer = RunPlan(*plan, Context());
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kNotFound);
}

TEST_F(FindTest, TooManyFilesAreExhausted) {
  for (size_t n = 0; n <= kFilesMax; ++n) {
    const int fd = ::open((dir_ / (std::to_string(n) + ".csv")).c_str(), O_CREAT | O_WRONLY, 0600);
    ASSERT_GE(fd, 0);
    ::close(fd);
  }
  const Error error = PlanError("*.csv");
  EXPECT_EQ(error.kind, Kind::kExhausted);
  EXPECT_EQ(error.message, "more than 10000 files");
}

TEST_F(FindTest, DeepDirectoriesAreExhausted) {
  std::string deep;
  for (size_t n = 0; n < kDepthMax + 2; ++n) deep += "d/";
  dir_.Write(deep + "a.csv", "a\n");
  EXPECT_EQ(PlanError("d").kind, Kind::kExhausted);
  EXPECT_EQ(PlanError("**/a.csv").kind, Kind::kExhausted);
  EXPECT_EQ(NamesOf(deep + "a.csv"), List{deep + "a.csv"});
}

}  // namespace
}  // namespace sheaf::files
