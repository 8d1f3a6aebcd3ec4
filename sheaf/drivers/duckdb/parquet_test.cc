// PLAN  files read by DuckDB's own reader: columns chosen · several files · the flight's schema
//       decides types and columns · no number is missed for what statistics leave out · names of
//       files in errors, never directories · odd file names
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <parquet/arrow/writer.h>

#include <filesystem>
#include <fstream>

#include "sheaf/drivers/duckdb/foreign.h"
#include "sheaf/drivers/duckdb/tables_test.h"
#include "testkit/temporary.h"

namespace sheaf::duckdb {
namespace {

using testing::Ask;
using ::testing::HasSubstr;
using testing::Json;
using testing::One;
using testing::SharedEngine;

class ParquetTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::shared_ptr<arrow::Table>& table,
                    bool store_schema = true) {
    const std::string path = directory_.path() + "/" + name;
    auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    parquet::ArrowWriterProperties::Builder builder;
    if (store_schema) builder.store_schema();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 1000,
                                           parquet::default_writer_properties(), builder.build())
                    .ok());
    EXPECT_TRUE(file->Close().ok());
    return path;
  }
  static std::shared_ptr<arrow::Table> Pairs(const std::string& a, const std::string& b) {
    return arrow::Table::Make(
        arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())}),
        {Json(arrow::int64(), a), Json(arrow::utf8(), b)});
  }

  testkit::TemporaryDirectory directory_;
};

TEST_F(ParquetTest, IsReadAsATable) {
  const auto path = Write("x.parquet", Pairs("[1, 2, 3]", R"(["x", "y", null])"));
  EXPECT_EQ(
      One("select sum(a) || string_agg(b, '' order by a) from t", {{.name = "t", .files = {path}}}),
      "6xy");
  EXPECT_EQ(One("select count(*) from t x, t y", {{.name = "t", .files = {path}}}), "9");
}

TEST_F(ParquetTest, OnlyTheChosenColumnsAreThere) {
  const auto path = Write("x.parquet", Pairs("[1]", R"(["x"])"));
  const Table table{.name = "t", .files = {path}, .columns = {"b"}};
  EXPECT_EQ(Ask("from t", {table})->schema->ToString(), "b: string");
  EXPECT_THAT(One("select a from t", {table}), HasSubstr("column \"a\" not found"));
  EXPECT_THAT(One("select filename from t", {table}), HasSubstr("not found"));
}

TEST_F(ParquetTest, SeveralFilesAreOneTableInOrder) {
  const auto one = Write("b.parquet", Pairs("[1, 2]", R"(["x", "y"])"));
  const auto two = Write("a.parquet", Pairs("[3]", R"(["z"])"));
  const auto answer = Ask("select b from t", {{.name = "t", .files = {one, two}}}).value();
  const auto expected = Json(arrow::utf8(), R"(["x", "y", "z"])");
  EXPECT_TRUE(answer.column()->Equals(*expected)) << answer.column()->ToString();
}

TEST_F(ParquetTest, NamesOfFilesMayBeAnything) {
  std::filesystem::create_directory(directory_.path() + "/year=2026");
  for (const std::string name : {"a*b?.parquet", "quote'd.parquet", "[x].parquet", "ü.parquet",
                                 "year=2026/x.parquet", "no suffix"}) {
    const auto path = Write(name, Pairs("[7]", R"(["x"])"));
    EXPECT_EQ(One("select a from t", {{.name = "t", .files = {path}}}), "7") << name;
    EXPECT_EQ(Ask("from t", {{.name = "t", .files = {path}}})->schema->num_fields(), 2) << name;
  }
}

TEST_F(ParquetTest, TheFlightsSchemaDecidesTypes) {
  using namespace arrow;  // NOLINT(google-build-using-namespace)
  const auto schema =
      arrow::schema({field("ms", timestamp(TimeUnit::MILLI)), field("t", time64(TimeUnit::MICRO)),
                     field("d", duration(TimeUnit::MILLI)), field("w", dictionary(int32(), utf8())),
                     field("l", list(timestamp(TimeUnit::MILLI)))});
  const auto words = std::make_shared<DictionaryArray>(
      schema->field(3)->type(), Json(int32(), "[0, 0]"), Json(utf8(), R"(["w"])"));
  const auto table =
      arrow::Table::Make(schema, {Json(timestamp(TimeUnit::MILLI), "[1500, null]"),
                                  Json(time64(TimeUnit::MICRO), "[1500000, null]"),
                                  Json(duration(TimeUnit::MILLI), "[1500, null]"), words,
                                  Json(list(timestamp(TimeUnit::MILLI)), "[[1500], null]")});
  const auto path = Write("x.parquet", table);
  const auto batches = arrow::TableBatchReader(*table).ToRecordBatches().ValueOrDie();
  const auto over_arrow = Ask("from t", {testing::Over("t", batches)}).value();
  for (const auto& declared : {schema, std::shared_ptr<arrow::Schema>()}) {
    const auto over_files = Ask("from t", {{.name = "t", .schema = declared, .files = {path}}});
    ASSERT_TRUE(over_files.ok()) << over_files.error().message;
    EXPECT_EQ(over_files->schema->ToString(), over_arrow.schema->ToString());
    for (int i = 0; i < schema->num_fields(); ++i) {
      EXPECT_TRUE(over_files->column(i)->Equals(over_arrow.column(i))) << i;
    }
  }
}

TEST_F(ParquetTest, AColumnWithoutANameHasTheOneThatItHasOverArrow) {
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("", arrow::int64()), arrow::field("a", arrow::int64())}),
      {Json(arrow::int64(), "[1]"), Json(arrow::int64(), "[2]")});
  const auto path = Write("x.parquet", table);
  const auto batches = arrow::TableBatchReader(*table).ToRecordBatches().ValueOrDie();
  const auto over_arrow = Ask("from t", {testing::Over("t", batches)}).value();
  const auto over_files = Ask("from t", {{.name = "t", .files = {path}}});
  ASSERT_TRUE(over_files.ok()) << over_files.error().message;
  EXPECT_EQ(over_files->schema->ToString(), over_arrow.schema->ToString());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(over_files->column(i)->Equals(over_arrow.column(i))) << i;
}

TEST_F(ParquetTest, TypesThatArrowsReaderWouldNotGiveAreRefusedAlike) {
  const auto schema = arrow::schema({arrow::field("h", arrow::float16())});
  const auto path = Write("x.parquet", arrow::Table::Make(schema, {Json(arrow::float16(), "[1]")}));
  EXPECT_THAT(One("from t", {{.name = "t", .files = {path}}}), HasSubstr("column h: halffloat"));
}

TEST_F(ParquetTest, FilesThatDoNotFitTheSchemaFail) {
  const auto path = Write("x.parquet", Pairs("[1]", R"(["x"])"));
  const auto schema = arrow::schema({arrow::field("a", arrow::int64())});
  EXPECT_THAT(One("from t", {{.name = "t", .schema = schema, .files = {path}}}),
              HasSubstr("other columns than its schema"));
}

TEST_F(ParquetTest, ErrorsNameFilesAndNoDirectories) {
  const std::string path = directory_.path() + "/broken.parquet";
  std::ofstream(path) << "PAR1 this is not Parquet PAR1";
  const auto broken = One("from t", {{.name = "t", .files = {path}}});
  EXPECT_THAT(broken, HasSubstr("broken.parquet"));
  EXPECT_EQ(broken.find(directory_.path()), std::string::npos) << broken;
  const auto absent = One("from t", {{.name = "t", .files = {directory_.path() + "/no.parquet"}}});
  EXPECT_THAT(absent, HasSubstr("error"));
  EXPECT_EQ(absent.find(directory_.path()), std::string::npos) << absent;
}

TEST_F(ParquetTest, ExplainShowsNoDirectories) {
  const auto path = Write("x.parquet", Pairs("[1]", R"(["x"])"));
  for (const char* how : {"explain ", "explain analyze ", "explain (format json) ",
                          "explain (analyze, format json) "}) {
    const auto answer =
        Ask(std::string(how) + "select * from t where a > 0", {{.name = "t", .files = {path}}});
    ASSERT_TRUE(answer.ok()) << how << answer.error().message;
    const auto text = answer->column(1)->ToString();
    EXPECT_EQ(text.find(directory_.path().substr(0, 9)), std::string::npos) << text;
  }
}

// Questions about numbers that statistics know nothing of, asked of files and over Arrow.
constexpr const char* kAboutNumbers[] = {
    "select count(*) from t where f > 100",
    "select count(*) from t where f = 'nan'",
    "select count(*) from t where f = '-nan'",
    "select count(*) from t where f in ('nan', 100)",
    "select count(*) from t where not (f <= 100)",
    "select count(*) from t where f between 3 and 'nan'",
    "select count(*) from t where f > 100 and i > 0",
    "select count(*) from t where g > 100",
    "select count(*) from t where s.f > 100",
    "select count(*) from t where s.f = 'nan'",
    "select count(*) from t where s.f = 0",
    "select count(*) from t where f = 0",
    "select count(*) from t where f = -0.0",
    "select count(*) from t where f::float = 0",
    "select max(f) || ' ' || min(f) || ' ' || max(g) from t",
    "select string_agg(f <= 100, ' ') from t",
    "select string_agg(i, ' ') from (select i from t order by f desc limit 2)",
    "select count(*) from t join (select 'nan'::double k) on f = k",
    "select count(*) from t join (select 'nan'::double k) on f >= k",
    "select count(*) from t join (select 0.0::double k) on f = k",
    "select count(*) from t join (select f as k from t where isnan(f)) on f = k",
    "select count(*) from t join (select 0.0::double k) on s.f = k",
    "select count(*) from t join (select -f as k from t where i < 1) on f = k",
};

TEST_F(ParquetTest, NoNumberIsMissedForWhatStatisticsLeaveOut) {
  using namespace arrow;  // NOLINT(google-build-using-namespace)
  const auto structs = struct_({field("f", float64())});
  // A row group begins every thousand rows; DuckDB writes bloom filters for few different values.
  std::string floats, ints, inner;
  for (int row = 0; row < 3000; ++row) {
    const int kind = row % 10;
    const std::string value = kind == 0 ? "-0.0" : kind == 1 ? "NaN" : std::to_string(kind) + ".5";
    const std::string comma = row == 0 ? "" : ",";
    floats += comma + value;
    ints += comma + std::to_string(kind);
    inner += comma + "[" + value + "]";
  }
  const auto list = [](const std::string& items) { return "[" + items + "]"; };
  const auto table =
      arrow::Table::Make(schema({field("f", float64()), field("g", float32()), field("i", int32()),
                                 field("s", structs)}),
                         {Json(float64(), list(floats)), Json(float32(), list(floats)),
                          Json(int32(), list(ints)), Json(structs, list(inner))});
  const auto by_arrow = Write("arrow.parquet", table);
  const auto by_duckdb = directory_.path() + "/duckdb.parquet";
  {
    ddb::DuckDB database(nullptr);
    ddb::Connection connection(database);
    const auto copied =
        connection.Query("copy (from '" + by_arrow + "') to '" + by_duckdb + "' (format parquet)");
    ASSERT_FALSE(copied->HasError()) << copied->GetError();
  }
  const auto batches = arrow::TableBatchReader(*table).ToRecordBatches().ValueOrDie();
  for (const char* sql : kAboutNumbers) {
    const auto expected = One(sql, {testing::Over("t", batches)});
    EXPECT_EQ(expected.find("error"), std::string::npos) << sql << ": " << expected;
    EXPECT_EQ(One(sql, {{.name = "t", .files = {by_arrow}}}), expected) << sql;
    EXPECT_EQ(One(sql, {{.name = "t", .files = {by_duckdb}}}), expected) << sql << " (bloom)";
  }
}

TEST_F(ParquetTest, OtherColumnsAreFilteredWhereTheyAreRead) {
  const auto path = Write("x.parquet", Pairs("[1, 2]", R"(["x", "y"])"));
  const auto plan = Ask("explain select b from t where a > 1", {{.name = "t", .files = {path}}});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(plan->column(1)->GetScalar(0).ValueOrDie()->ToString(), HasSubstr("Filters"));
}

TEST_F(ParquetTest, BindReadsTheFootersOnly) {
  const auto path = Write("x.parquet", Pairs("[1]", R"(["x"])"));
  const auto statement = Statement::Parse("select b, count(*) as n from t group by b").value();
  const auto schema =
      Query::Bind(SharedEngine(), statement, {}, {{.name = "t", .files = {path}}}, {}).value();
  EXPECT_EQ(schema->ToString(), "b: string\nn: int64");
}

TEST_F(ParquetTest, InputsThatAreNotNamedAreNotTouched) {
  const Table absent{.name = "other", .files = {directory_.path() + "/no.parquet"}};
  EXPECT_EQ(One("select 1", {absent}), "1");
  EXPECT_THAT(One("from nothing", {absent, testing::Ints("t", "[1]")}),
              HasSubstr("Table with name nothing does not exist! The inputs are other, t\nLINE 1"));
}

}  // namespace
}  // namespace sheaf::duckdb
