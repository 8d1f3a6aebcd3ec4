// PLAN  inputs: any number of scans at once · projection · count(*) · duplicate and odd names ·
//         order kept · large batches cut · readers that fail or differ from their schema
//       values: as the same literal would be, exact at the ends
//       results: batches of bounded size, schema before the first, none for no rows
//       limits: interrupt before and during · memory with and without spill · nothing left behind
//       Bind: the schema alone, nothing opened
#include "sheaf/drivers/duckdb/query.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "sheaf/drivers/duckdb/tables_test.h"
#include "testkit/temporary.h"

namespace sheaf::duckdb {
namespace {

using testing::Answer;
using testing::Ask;
using testing::Batches;
using testing::Column;
using ::testing::HasSubstr;
using testing::Ints;
using testing::Json;
using testing::Numbers;
using testing::One;
using testing::Over;
using testing::SharedEngine;

TEST(QueryInputTest, ATableMayBeScannedManyTimesAtOnce) {
  auto scans = std::make_shared<std::atomic<int>>(0);
  const auto batch = Column(Json(arrow::int64(), "[1, 2, 3]"));
  EXPECT_EQ(One("select count(*) from t a, t b, t c where a.c <= b.c and b.c <= c.c",
                {Over("t", {batch}, scans)}),
            "10");
  EXPECT_EQ(scans->load(), 3);
}

TEST(QueryInputTest, OnlyColumnsAskedForAreRead) {
  // The second column's buffers are wild: whoever touches them dies.
  const auto good = Json(arrow::int64(), "[1, 2]");
  auto wild = std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(64), 16);
  const auto bad = arrow::MakeArray(arrow::ArrayData::Make(arrow::int64(), 2, {nullptr, wild}, 0));
  const auto schema =
      arrow::schema({arrow::field("bad", arrow::int64()), arrow::field("good", arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, 2, {bad, good});
  EXPECT_EQ(One("select sum(good) from t", {Over("t", {batch})}), "3");
}

TEST(QueryInputTest, CountStarReadsNoColumn) {
  EXPECT_EQ(One("select count(*) from t", {Numbers("t", 123'456)}), "123456");
}

TEST(QueryInputTest, DuplicateColumnNamesAreToldApart) {
  const auto schema =
      arrow::schema({arrow::field("c", arrow::int64()), arrow::field("c", arrow::utf8())});
  const auto batch = arrow::RecordBatch::Make(
      schema, 1, {Json(arrow::int64(), "[7]"), Json(arrow::utf8(), R"(["x"])")});
  EXPECT_EQ(One("select c || c_1 from t", {Over("t", {batch})}), "7x");
}

TEST(QueryInputTest, NamesMayBeAnything) {
  for (const std::string name : {"select", "a b", "quote\"d", "semi;colon", "Größe", "1", "x.y",
                                 "sqlite_master", "range", "--", "/*", "'"}) {
    EXPECT_EQ(One("select sum(c) from " + Quoted(name), {Ints(name, "[1, 2]")}), "3") << name;
  }
}

TEST(QueryInputTest, OrderIsKept) {
  const auto answer = Ask("select n from t", {Numbers("t", 300'000)}).value();
  int64_t expected = 0;
  for (const auto& batch : answer.batches) {
    const auto& column = static_cast<const arrow::Int64Array&>(*batch->column(0));
    for (int64_t i = 0; i < column.length(); ++i) ASSERT_EQ(column.Value(i), expected++);
  }
  EXPECT_EQ(expected, 300'000);
}

TEST(QueryInputTest, HugeBatchesAreCutAndSmallOnesTaken) {
  EXPECT_EQ(One("select sum(n) from t", {Numbers("t", 1'500'000, 1'500'000)}), "1124999250000");
  EXPECT_EQ(One("select sum(n) from t", {Numbers("t", 3'000, 1)}), "4498500");
}

TEST(QueryInputTest, EmptyTablesAndEmptyBatches) {
  const auto none = Column(Json(arrow::int64(), "[]"));
  const auto some = Column(Json(arrow::int64(), "[5]"));
  EXPECT_EQ(One("select count(*) from t", {Over("t", {none})}), "0");
  EXPECT_EQ(One("select sum(c) from t", {Over("t", {none, some, none, some})}), "10");
}

TEST(QueryInputTest, UnknownNumberOfRowsIsFine) {
  Table table = Numbers("t", 50'000);
  table.rows = -1;
  EXPECT_EQ(One("select count(*) from t a join t b using (n)", {table}), "50000");
}

TEST(QueryInputTest, AReadersErrorIsKeptWhole) {
  Table table = Ints("t", "[1]");
  table.open = [schema =
                    table.schema]() -> arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> {
    return arrow::RecordBatchReader::MakeFromIterator(
        arrow::MakeFunctionIterator([]() -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
          return arrow::Status::KeyError("the disk is gone");
        }),
        schema);
  };
  const auto statement = Statement::Parse("select * from t").value();
  const auto query = Query::Open(SharedEngine(), statement, {}, {table}, {}).value();
  EXPECT_FALSE(query->Next().ok());
  EXPECT_TRUE(query->source_status().IsKeyError());
  EXPECT_EQ(query->source_status().message(), "the disk is gone");
}

TEST(QueryInputTest, ATableThatDoesNotOpenFailsTheQuery) {
  Table table = Ints("t", "[1]");
  table.open = []() -> arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> {
    return arrow::Status::IOError("no such flight");
  };
  EXPECT_FALSE(Ask("select * from t", {table}).ok());
}

TEST(QueryInputTest, AReaderOfAnotherSchemaFailsTheQuery) {
  Table table = Ints("t", "[1]");
  table.schema = arrow::schema({arrow::field("c", arrow::utf8())});
  // Often: threads that scan beside the one that finds out must be given nothing.
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(One("select * from t", {table}), HasSubstr("another schema"));
  }
}

TEST(QueryValuesTest, BehaveAsTheSameLiteral) {
  EXPECT_EQ(One("select typeof($1)", {}, {{"1", int64_t{1}}}), "INTEGER");
  EXPECT_EQ(One("select date '2026-01-01' + $d", {}, {{"d", int64_t{30}}}), "2026-01-31");
  EXPECT_EQ(One("select date '2026-01-01' < $d", {}, {{"d", "2026-01-02"}}), "true");
  EXPECT_EQ(One("select ? || ?", {}, {{"1", "a"}, {"2", "b"}}), "ab");
  EXPECT_EQ(One("select n from t order by n limit $1", {Numbers("t", 5)}, {{"1", int64_t{1}}}),
            "0");
  EXPECT_EQ(One("select coalesce($1, 'none')", {}, {{"1", std::monostate()}}), "none");
  EXPECT_EQ(One("select $1 and true", {}, {{"1", true}}), "true");
  EXPECT_EQ(One("select $X + $x", {}, {{"x", int64_t{2}}}), "4");
}

TEST(QueryValuesTest, AreExactAtTheEnds) {
  EXPECT_EQ(One("select $1", {}, {{"1", int64_t{INT64_MIN}}}), "-9223372036854775808");
  EXPECT_EQ(One("select $1", {}, {{"1", uint64_t{UINT64_MAX}}}), "18446744073709551615");
  EXPECT_EQ(One("select $1 = 0.1::double", {}, {{"1", 0.1}}), "true");
  EXPECT_EQ(One("select $1 = 5e-324::double", {}, {{"1", 5e-324}}), "true");
  EXPECT_EQ(One("select $1 = chr(128512) || '''; drop'", {}, {{"1", "😀'; drop"}}), "true");
}

TEST(QueryResultTest, SchemaIsKnownBeforeAnythingIsRead) {
  auto scans = std::make_shared<std::atomic<int>>(0);
  const auto statement = Statement::Parse("select c as x, 'y' as y from t where c > 5").value();
  const auto table = Over("t", {Column(Json(arrow::int64(), "[1]"))}, scans);
  const auto query = Query::Open(SharedEngine(), statement, {}, {table}, {}).value();
  EXPECT_EQ(query->schema()->ToString(), "x: int64\ny: string");
  EXPECT_EQ(query->Next().value(), nullptr);
  EXPECT_EQ(query->Next().value(), nullptr);  // And again.
}

TEST(QueryResultTest, BatchesAreOfAboutTwoMebibytes) {
  const auto wide = Ask("select n, repeat('x', 1000) as s from t", {Numbers("t", 30'000)}).value();
  EXPECT_EQ(wide.rows(), 30'000);
  for (size_t i = 1; i + 1 < wide.batches.size(); ++i) {
    EXPECT_LE(wide.batches[i]->num_rows(), 4'096) << i;
    EXPECT_GE(wide.batches[i]->num_rows(), 1'024) << i;
  }
  const auto narrow = Ask("select n from t", {Numbers("t", 1'000'000)}).value();
  EXPECT_LE(narrow.batches.size(), 20u);
  for (const auto& batch : narrow.batches) EXPECT_LE(batch->num_rows(), 122'880);
}

TEST(QueryResultTest, BatchesOutliveTheirQuery) {
  auto answer = Ask("select n, 'text that is long enough ' || n as s from t", {Numbers("t", 10)});
  EXPECT_TRUE(answer->batches.at(0)->ValidateFull().ok());
  EXPECT_EQ(answer->column(1)->GetScalar(9).ValueOrDie()->ToString(), "text that is long enough 9");
}

TEST(QueryResultTest, DuplicateNamesOfResultsAreKept) {
  EXPECT_EQ(Ask("select 1 as a, 2 as a").value().schema->ToString(), "a: int32\na: int32");
}

TEST(QueryErrorTest, AreInDuckDbsWordsWithACaret) {
  const auto error = Ask("select c\nfrom t where d = 1", {Ints("t", "[1]")}).error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_THAT(error.message, HasSubstr("Binder Error: Referenced column \"d\" not found"));
  EXPECT_THAT(error.message, HasSubstr("LINE 2: from t where d = 1\n                     ^"));
  EXPECT_EQ(error.details, R"({"position": 22, "line": 2, "column": 14})");
}

TEST(QueryErrorTest, AFailureHalfWayIsAFailure) {
  const auto error =
      Ask("select 1 / case when n = 250000 then cast('x' || n as int) else 1 end from t",
          {Numbers("t", 300'000)})
          .error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_THAT(error.message, HasSubstr("Conversion Error"));
}

TEST(QueryErrorTest, IsNotHiddenByTheInterruptOfItsSiblings) {
  // A race within DuckDB, lost about once in twenty times.
  for (int round = 0; round < 60; ++round) {
    const auto error = Ask("select range, repeat('x', 100), case when range = 300000 then "
                           "error('half-way') else 0 end from range(400000)")
                           .error();
    ASSERT_EQ(error.kind, Kind::kFailed) << error.message;
    ASSERT_THAT(error.message, HasSubstr("half-way"));
  }
}

TEST(QueryErrorTest, AnInternalErrorShowsNoStackTrace) {
  const auto error = Ask("select error('Stack me')").error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  const auto thrown = Ask("select array_value(1, 2)[3], json_transform('{}', 'x')").error();
  EXPECT_EQ(thrown.message.find("Stack Trace"), std::string::npos);
}

TEST(QueryInterruptTest, BeforeTheFirstBatchEndsTheQuery) {
  const auto statement = Statement::Parse("select sum(a.n * b.n) from t a, t b").value();
  const auto query =
      Query::Open(SharedEngine(), statement, {}, {Numbers("t", 100'000)}, {}).value();
  query->Interrupt();
  EXPECT_EQ(query->Next().error().kind, Kind::kCancelled);
}

TEST(QueryInterruptTest, EndsWhatRunsWithinASecond) {
  const std::vector<std::string> costly = {
      "select count(*) from t a, t b, t c where a.n + b.n + c.n = 7",
      "select n, row_number() over (order by hash(n)) from (select a.n from t a, t b limit "
      "30000000)",
      "select count(distinct a.n * 1000003 + b.n) from t a, t b",
      "select max(regexp_replace(repeat('ab', 500) || a.n, '(a|b)*c', 'x')) from t a, t b",
      "with recursive r(i) as (select 0 union all select i + 1 from r where i < 1000000000) "
      "select max(i) from r",
      "select a.n from t a, t b, t c order by sin(a.n + b.n * c.n)"};
  for (const auto& sql : costly) {
    const auto statement = Statement::Parse(sql).value();
    const auto query =
        Query::Open(SharedEngine(), statement, {}, {Numbers("t", 100'000)}, {}).value();
    const time::SystemClock clock;
    Instant asked{};
    std::thread stopper([&] {
      Event().WaitFor(std::chrono::milliseconds(300));
      asked = clock.Now();
      query->Interrupt();
    });
    Result<std::shared_ptr<arrow::RecordBatch>> next = query->Next();
    while (next.ok() && *next != nullptr) next = query->Next();
    stopper.join();
    EXPECT_FALSE(next.ok()) << sql;
    EXPECT_LT(clock.Now() - asked, std::chrono::seconds(1)) << sql;
  }
}

TEST(QueryLimitTest, MemoryWithoutSpillIsExhausted) {
  const auto error = Ask("select n, count(*) from t group by n, n % 7",
                         {Numbers("t", 3'000'000, 100'000)}, {}, {.memory_max = 32_MiB})
                         .error();
  EXPECT_EQ(error.kind, Kind::kExhausted) << error.message;
}

TEST(QueryLimitTest, MemoryWithSpillIsEnoughAndLeavesNothing) {
  const testkit::TemporaryDirectory directory;
  const std::string spill = directory.path() + "/run";
  const auto answer =
      Ask("select n, hash(n) from t order by hash(n)", {Numbers("t", 3'000'000, 100'000)}, {},
          {.memory_max = 64_MiB, .spill_directory = spill});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->rows(), 3'000'000);
  EXPECT_TRUE(!std::filesystem::exists(spill) || std::filesystem::is_empty(spill));
}

TEST(QueryLimitTest, ASpillDirectoryThatVanishesEndsNoProcess) {
  const testkit::TemporaryDirectory directory;
  const std::string spill = directory.path() + "/run";
  const auto statement = Statement::Parse("select n, hash(n) from t order by hash(n)").value();
  auto query = Query::Open(SharedEngine(), statement, {}, {Numbers("t", 3'000'000, 100'000)},
                           {.memory_max = 64_MiB, .spill_directory = spill})
                   .value();
  ASSERT_TRUE(query->Next().ok());
  EXPECT_FALSE(std::filesystem::is_empty(spill));
  std::filesystem::remove_all(spill);
  for (auto next = query->Next(); next.ok() && *next != nullptr; next = query->Next()) {
  }
  query.reset();
}

TEST(QueryLimitTest, ASpillDirectoryThatCannotBeMadeFailsTheQuery) {
  const auto error =
      Ask("select n, hash(n) from t order by hash(n)", {Numbers("t", 3'000'000, 100'000)}, {},
          {.memory_max = 64_MiB, .spill_directory = "/proc/no/such/place"})
          .error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_EQ(error.message.find("/proc"), std::string::npos) << error.message;
}

TEST(QueryLimitTest, SpillHasALimitToo) {
  const testkit::TemporaryDirectory directory;
  const auto answer =
      Ask("select n, hash(n) from t order by hash(n)", {Numbers("t", 3'000'000, 100'000)}, {},
          {.memory_max = 64_MiB, .spill_directory = directory.path() + "/run", .spill_max = 4_MiB});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().kind, Kind::kExhausted) << answer.error().message;
}

TEST(QueryBindTest, GivesTheSchemaAndOpensNothing) {
  Table table{.name = "t", .schema = arrow::schema({arrow::field("c", arrow::decimal128(9, 2))})};
  const auto statement =
      Statement::Parse("select c * $1 as d, count(*) over () as k from t").value();
  const auto schema =
      Query::Bind(SharedEngine(), statement, {{"1", int64_t{3}}}, {table}, {}).value();
  EXPECT_EQ(schema->ToString(), "d: decimal128(18, 2)\nk: int64");
}

TEST(QueryBindTest, TellsErrorsAsARunWould) {
  Table table{.name = "t", .schema = arrow::schema({arrow::field("c", arrow::int64())})};
  const auto statement = Statement::Parse("select nope from t").value();
  const auto error = Query::Bind(SharedEngine(), statement, {}, {table}, {}).error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_THAT(error.message, HasSubstr("LINE 1: select nope from t\n               ^"));
}

TEST(EngineTest, AnotherVersionIsRefused) {
  EXPECT_TRUE(CheckVersion("v1.5.6").ok());
  const auto error = CheckVersion("v1.5.7").error();
  EXPECT_EQ(error.kind, Kind::kDependency);
  EXPECT_EQ(error.message, "DuckDB is v1.5.7, built against v1.5.6");
}

TEST(EngineTest, SparesAreTakenAndRefilled) {
  auto engine = Engine::Open({.threads = 1, .spares_max = 2}).value();
  EXPECT_TRUE(engine->Refill());
  EXPECT_EQ(engine->spares(), 2u);
  EXPECT_FALSE(engine->Refill());
  const auto statement = Statement::Parse("select 1").value();
  EXPECT_TRUE(Query::Open(*engine, statement, {}, {}, {}).ok());
  EXPECT_EQ(engine->spares(), 1u);
}

}  // namespace
}  // namespace sheaf::duckdb
