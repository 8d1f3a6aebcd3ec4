// PLAN  the first wall: what is refused by the gate, with which kind and words · what passes
//       all walls: of the hostile statements none succeeds, nothing is read, nothing is written
//       the walls behind the gate hold alone: the same statements, not gated, in a locked instance
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "sheaf/drivers/duckdb/hostile_test.h"
#include "sheaf/drivers/duckdb/instance.h"
#include "sheaf/drivers/duckdb/tables_test.h"
#include "testkit/temporary.h"

namespace sheaf::duckdb {
namespace {

using testing::Ask;
using ::testing::HasSubstr;
using testing::HostileStatements;
using testing::Ints;
using testing::One;

TEST(GateTest, OneSelectPasses) {
  for (const char* sql :
       {"select 1", "SELECT 1;", "  /* a */ select 1 -- b\n;;", "with a as (select 1) from a",
        "values (1), (2)", "from range(3)", "(select 1) union all (select 2)",
        "select * from (values (1)) v(x) where x in (select 1)", "describe select 1",
        "summarize select 1", "select 1 into_",
        "pivot (select 1 as a, 2 as b) on a in (1) using sum(b)",
        "with recursive r(i) as (select 1 union all select i + 1 from r where i < 3) from r",
        "select ';', 'drop table x', \"a;b\" from (select 1 as \"a;b\")"}) {
    const auto statement = Statement::Parse(sql);
    ASSERT_TRUE(statement.ok()) << sql << "\n" << statement.error().message;
    EXPECT_EQ(statement->what(), Statement::What::kSelect) << sql;
  }
}

TEST(GateTest, ExplainOfASelectPasses) {
  EXPECT_EQ(Statement::Parse("explain select 1")->what(), Statement::What::kExplain);
  EXPECT_EQ(Statement::Parse("explain analyze select 1")->what(), Statement::What::kExplainAnalyze);
  EXPECT_EQ(Statement::Parse("explain (format json) select 1")->what(), Statement::What::kExplain);
  EXPECT_EQ(Statement::Parse("explain copy (select 1) to 'x'").error().kind, Kind::kInvalid);
  EXPECT_EQ(Statement::Parse("explain explain select 1").error().kind, Kind::kFailed);  // Syntax.
}

TEST(GateTest, OtherStatementsAreInvalidAndSayWhatIsAllowed) {
  const auto error = Statement::Parse("insert into t values (1)").error();
  EXPECT_EQ(error.kind, Kind::kInvalid);
  EXPECT_EQ(error.message,
            "sql: INSERT statements are refused; allowed is one SELECT (or WITH, VALUES, FROM, "
            "TABLE), or EXPLAIN of one");
  EXPECT_THAT(Statement::Parse("select 1; select 2").error().message, HasSubstr("2 statements"));
  EXPECT_THAT(Statement::Parse("").error().message, HasSubstr("no statement"));
  EXPECT_THAT(Statement::Parse(" -- nothing").error().message, HasSubstr("no statement"));
  EXPECT_THAT(Statement::Parse("pivot t on a").error().message, HasSubstr("must list its values"));
}

TEST(GateTest, SyntaxErrorsHaveAPlace) {
  const auto error = Statement::Parse("select 1\nfrm t").error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_THAT(error.message, HasSubstr("Parser Error: syntax error at or near \"t\""));
  EXPECT_EQ(error.details, R"({"position": 13, "line": 2, "column": 5})");
}

TEST(GateTest, FunctionsThatReachOutAreForbiddenWherever) {
  for (const char* sql :
       {"select * from read_csv('/etc/passwd')", "select (select max(a) from read_text('x') t(a))",
        "with a as (from glob('*')) from a", "select 1 where exists (from READ_PARQUET('x'))",
        "from range(1) union all from read_blob('x')",
        "select 1 order by (select 1 from glob('/'))",
        "select case when true then (from sniff_csv('x')) end",
        "from (pivot (from read_json('x')) on a in (1) using sum(b))",
        "select list_transform([1], lambda x: (select count(*) from glob('*')))",
        "select sum(1) over (partition by (select 1 from glob('*')))",
        "describe select * from read_csv('x')", "select current_setting('temp_directory')",
        "values ((select 1 from duckdb_secrets()))", "from query('select 1')"}) {
    const auto error = Statement::Parse(sql);
    ASSERT_FALSE(error.ok()) << sql;
    EXPECT_EQ(error.error().kind, Kind::kForbidden) << sql << "\n" << error.error().message;
    EXPECT_THAT(error.error().details, HasSubstr("\"position\"")) << sql;
  }
}

TEST(GateTest, NulAndLengthAreChecked) {
  EXPECT_EQ(Statement::Parse(std::string("select 1\0; drop", 15)).error().message,
            "sql: a NUL at byte 8");
  EXPECT_EQ(Statement::Parse("select '" + std::string(1 << 20, 'x') + "'").error().kind,
            Kind::kInvalid);
}

TEST(GateTest, DepthHasALimit) {
  for (const int depth : {100, 2'000, 200'000}) {
    const std::string deep = "select " + std::string(depth, '(') + "1" + std::string(depth, ')');
    (void)Statement::Parse(deep);  // Any answer; no crash.
    std::string nots = "select ";
    for (int i = 0; i < depth; ++i) nots += "not ";
    (void)Statement::Parse(nots + "true");
    std::string chain = "select 1";
    for (int i = 0; i < depth; ++i) chain += "+1";
    (void)Statement::Parse(chain);
    std::string subqueries = "select 1";
    for (int i = 0; i < std::min(depth, 20'000); ++i) subqueries = "select (" + subqueries + ")";
    (void)Statement::Parse(subqueries);
  }
}

TEST(GateTest, ParametersAreNamed) {
  EXPECT_THAT(Statement::Parse("select ?, ?")->parameters(), ::testing::ElementsAre("1", "2"));
  EXPECT_THAT(Statement::Parse("select $2, $1, $2")->parameters(),
              ::testing::ElementsAre("1", "2"));
  EXPECT_THAT(Statement::Parse("select $b, (select $a)")->parameters(),
              ::testing::ElementsAre("a", "b"));
  EXPECT_FALSE(Statement::Parse("select $a, ?").ok());
}

TEST(GateTest, TablesThatMayBeReadAreKnown) {
  const auto statement = Statement::Parse(
                             "with w as (select * from a join B using (x)) select (select max(y) "
                             "from c) from w, lateral "
                             "(from d) where exists (from e) order by (select 1 from f)")
                             .value();
  for (const char* name : {"a", "b", "B", "c", "d", "e", "f", "w"}) {
    EXPECT_TRUE(statement.Names(name)) << name;
  }
  EXPECT_FALSE(statement.Names("x"));
  for (const char* sql :
       {"describe t", "summarize t", "table t", "from memory.main.t", "from \"T\"",
        "from (pivot t on a in (1) using sum(b))", "from histogram(t, a)",
        "with recursive r as (from t union all from r) from r", "unpivot t on a, b",
        "select t from t", "with a as materialized (with b as (from t) from b) from a",
        "explain analyze select 1 from x left join t on true"}) {
    const auto parsed = Statement::Parse(sql);
    EXPECT_TRUE(!parsed.ok() || parsed->Names("t")) << sql;
  }
}

// A directory with a secret, and what it held before.
class Canary {
 public:
  Canary() {
    std::ofstream(directory_.path() + "/secret.csv") << "word\ncanary\n";
    before_ = List();
  }
  const std::string& path() const { return directory_.path(); }
  std::set<std::string> List() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
      names.insert(entry.path().string());
    }
    return names;
  }
  bool untouched() const { return List() == before_; }

 private:
  testkit::TemporaryDirectory directory_;
  std::set<std::string> before_;
};

TEST(WallsTest, NoHostileStatementSucceeds) {
  const Canary canary;
  const auto statements = HostileStatements(canary.path());
  EXPECT_GE(statements.size(), 60u);
  int successes = 0;
  for (const auto& sql : statements) {
    const auto answer = Ask(sql, {Ints("t", "[1]")});
    successes += answer.ok() ? 1 : 0;
    EXPECT_FALSE(answer.ok()) << sql;
    if (answer.ok()) continue;
    EXPECT_EQ(answer.error().message.find("canary"), std::string::npos) << sql;
  }
  EXPECT_EQ(successes, 0);
  EXPECT_TRUE(canary.untouched());
}

// Whether the statement gives the secret, or succeeds at all where only a statement can do harm.
TEST(WallsTest, BehindTheGateNothingLeaksEither) {
  const Canary canary;
  for (const auto& sql : HostileStatements(canary.path())) {
    Instance instance(1);
    instance.Configure({.memory_max = 64_MiB}, {});
    instance.Lock();
    std::string text;
    try {
      auto result = instance.connection().Query(sql);
      text = result->HasError() ? "" : result->ToString();
    } catch (const std::exception&) {
    }
    EXPECT_EQ(text.find("canary"), std::string::npos) << sql;
    EXPECT_EQ(text.find(canary.path()), std::string::npos) << sql;
    EXPECT_TRUE(canary.untouched()) << sql;
  }
}

TEST(WallsTest, APermittedFileCanBeReadAndNotWritten) {
  const Canary canary;
  const std::string file = canary.path() + "/data.parquet";
  ddb::DuckDB database(nullptr);
  ddb::Connection connection(database);
  ASSERT_FALSE(
      connection.Query("copy (select 42 as n) to '" + file + "' (format parquet)")->HasError());
  const auto size = std::filesystem::file_size(file);
  EXPECT_EQ(One("select n from t", {{.name = "t", .files = {file}}}), "42");

  Instance instance(1);
  instance.Configure({.memory_max = 64_MiB}, {file});
  instance.Lock();
  const auto before = canary.List();
  const std::vector<std::string> statements = {
      "copy (select 7) to '" + file + "' (format csv, use_tmp_file false)",
      "copy (select 7) to '" + file + "' (format parquet, use_tmp_file false)",
      "copy t from '" + file + "'",
      "export database '" + canary.path() + "'",
      "attach '" + file + ".db' as a",
      "from read_csv('" + file + "')",
      "from read_blob('" + file + "')"};
  for (const auto& sql : statements) {
    EXPECT_TRUE(instance.connection().Query(sql)->HasError()) << sql;
  }
  (void)instance.connection().Query("attach '" + file + "' as a");  // Reads it, at most.
  (void)instance.connection().Query("create table a.x as select 1");
  EXPECT_EQ(canary.List(), before);
  EXPECT_EQ(std::filesystem::file_size(file), size);
  EXPECT_EQ(One("select n from t", {{.name = "t", .files = {file}}}), "42");
}

TEST(WallsTest, SettingsCannotBeChangedAfterTheLock) {
  Instance instance(1);
  instance.Configure({.memory_max = 64_MiB}, {});
  instance.Lock();
  for (const char* sql :
       {"set memory_limit = '8GB'", "set threads = 8", "set enable_external_access = true",
        "set lock_configuration = false", "reset all", "pragma memory_limit = '8GB'",
        "set temp_directory = '/tmp/x'", "set disabled_filesystems = ''",
        "set allowed_paths = ['/etc/passwd']", "set autoload_known_extensions = true"}) {
    EXPECT_TRUE(instance.connection().Query(sql)->HasError()) << sql;
  }
}

}  // namespace
}  // namespace sheaf::duckdb
