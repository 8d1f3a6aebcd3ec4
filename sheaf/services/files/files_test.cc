// PLAN  a spec is parsed or refused with its place · a plan reads no data, has a token per file,
//       and is local Parquet exactly without a filter and INT96 · a run gives one partition a file,
//       columns as asked, an empty result with its schema · schemas that differ are named
//       · more than 1,024 files share partitions · a run ends by cancel, deadline, writer's error
#include "sheaf/services/files/files.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "sheaf/services/files/fixture_test.h"

namespace sheaf::files {
namespace {

std::shared_ptr<arrow::Table> Numbers(int64_t from, int64_t count) {
  arrow::Int64Builder a;
  arrow::StringBuilder b;
  arrow::DoubleBuilder c;
  for (int64_t n = from; n < from + count; ++n) {
    SHEAF_CHECK(a.Append(n).ok());
    SHEAF_CHECK((n % 7 == 0 ? b.AppendNull() : b.Append("row " + std::to_string(n))).ok());
    SHEAF_CHECK(c.Append(static_cast<double>(n) / 4).ok());
  }
  auto schema = arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8()),
                               arrow::field("c", arrow::float64())});
  return arrow::Table::Make(
      schema, {a.Finish().ValueOrDie(), b.Finish().ValueOrDie(), c.Finish().ValueOrDie()});
}

TEST_F(FilesTest, ParquetComesBackWhole) {
  const auto table = Numbers(0, 10'000);
  WriteParquet("t.parquet", table);
  const Answer answer = Ask(R"({"uri": "t.parquet"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.partitions.size(), 1U);
  ExpectSame(*answer.Table(), *table);
  ASSERT_FALSE(answer.progress.empty());
  EXPECT_DOUBLE_EQ(answer.progress.back(), 1.0);
  EXPECT_TRUE(std::is_sorted(answer.progress.begin(), answer.progress.end()));
}

TEST_F(FilesTest, ColumnsComeInTheOrderAskedFor) {
  const auto table = Numbers(0, 3'000);
  WriteParquet("t.parquet", table);
  WriteIpc("t.arrow", table);
  for (const std::string name : {"t.parquet", "t.arrow"}) {
    const Answer answer = Ask(R"({"uri": ")" + name + R"(", "columns": ["c", "a"]})");
    ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
    ExpectSame(*answer.Table(), *table->SelectColumns({2, 0}).ValueOrDie());
  }
}

TEST_F(FilesTest, UnknownColumnIsInvalidAndNamesTheNearest) {
  WriteParquet("t.parquet", TableOf({arrow::field("l_quantity", arrow::int64())}, "[[1]]"));
  const Error error = Refusal(R"({"uri": "t.parquet", "columns": ["l_quantty"]})");
  EXPECT_EQ(error.kind, Kind::kInvalid);
  EXPECT_NE(error.message.find("spec.columns[0]"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("did you mean 'l_quantity'"), std::string::npos) << error.message;
  const auto plan = PlanSchema(R"({"uri": "t.parquet", "columns": ["l_quantty"]})");
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().message, error.message);
}

TEST_F(FilesTest, EmptyResultsStillHaveTheirSchema) {
  WriteParquet("t.parquet", Numbers(0, 100));
  const Answer answer = Ask(R"({"uri": "t.parquet", "columns": ["b"], "filter": [["a", "<", 0]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.schema->ToString(), "b: string");
  EXPECT_EQ(answer.rows(), 0);
  EXPECT_DOUBLE_EQ(answer.progress.back(), 1.0);
  WriteParquet("none.parquet", Numbers(0, 0));
  EXPECT_EQ(Ask(R"({"uri": "none.parquet"})").rows(), 0);
}

TEST_F(FilesTest, InputsAreRefused) {
  const Json spec = {{"uri", "t.parquet"}};
  module::PlanRequest request{spec, {}, "anonymous"};
  request.inputs["orders"] = {};
  const auto plan = service().MakePlan(request);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, Kind::kInvalid);
}

TEST_F(FilesTest, PlanHasATokenForEachFileAndReadsNothing) {
  const std::string a = dir_.Write("a.arrow", "this is no Arrow..");
  const std::string b = dir_.Write("b.arrow", "nor this");
  const auto plan = Plan(R"({"uris": ["b.arrow", "a.arrow"]})");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->schema, nullptr);
  ASSERT_EQ(plan->sources.size(), 2U);
  EXPECT_EQ(plan->sources[0].source, "file://" + b);
  EXPECT_EQ(plan->sources[1].source, "file://" + a);
  struct stat facts {};
  ASSERT_EQ(::stat(a.c_str(), &facts), 0);
  const int64_t mtime = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec;
  EXPECT_EQ(plan->sources[1].token,
            "18:" + std::to_string(mtime) + ":" + std::to_string(facts.st_ino));
  EXPECT_EQ(plan->estimate.bytes, 26);
  EXPECT_EQ(plan->estimate.rows, -1);
}

TEST_F(FilesTest, LocalParquetIsSetExactlyWithoutAFilter) {
  const std::string path = WriteParquet("t.parquet", Numbers(0, 10));
  dir_.Write("t.csv", "a\n1\n");
  const auto plain = Plan(R"({"uri": "t.parquet", "columns": ["c", "a"]})");
  ASSERT_TRUE(plain.ok() && plain->parquet.has_value());
  EXPECT_EQ(plain->parquet->files, std::vector<std::string>{path});
  EXPECT_EQ(plain->parquet->columns, (std::vector<std::string>{"c", "a"}));
  EXPECT_FALSE(Plan(R"({"uri": "t.parquet", "filter": [["a", "=", 1]]})")->parquet.has_value());
  EXPECT_FALSE(Plan(R"({"uri": "t.csv"})")->parquet.has_value());
}

TEST_F(FilesTest, Int96TimestampsAreReadHereAlone) {
  const auto type = arrow::timestamp(arrow::TimeUnit::NANO);
  const auto table = TableOf({arrow::field("n", arrow::int64()), arrow::field("at", type)},
                             "[[1, 1001], [2, 1002]]");
  WriteParquet("new.parquet", table);
  WriteParquet("old.parquet", table, 1024, Timestamps::kInt96);
  const auto offered = [this](const std::string& spec) {
    const auto run = Plan(spec), schema = PlanSchema(spec), again = Plan(spec);
    EXPECT_TRUE(run.ok() && schema.ok() && again.ok());
    EXPECT_EQ(run->parquet.has_value(), schema->parquet.has_value()) << spec;
    EXPECT_EQ(run->parquet.has_value(), again->parquet.has_value()) << spec;
    return run->parquet.has_value();
  };
  EXPECT_TRUE(offered(R"({"uri": "new.parquet"})"));
  EXPECT_FALSE(offered(R"({"uri": "old.parquet"})"));
  EXPECT_FALSE(offered(R"({"uris": ["new.parquet", "old.parquet"]})"));
  EXPECT_FALSE(offered(R"({"uri": "old.parquet", "columns": ["at"]})"));
  EXPECT_TRUE(offered(R"({"uri": "old.parquet", "columns": ["n"]})"));
  ExpectSame(*Ask(R"({"uri": "old.parquet"})").Table(), *table);
}

TEST_F(FilesTest, ParquetThatAnotherMayReadItselfIsLookedAtFirst) {
  WriteParquet("a.parquet", TableOf({arrow::field("x", arrow::int64())}, "[[1]]"));
  WriteParquet("b.parquet", TableOf({arrow::field("x", arrow::utf8())}, R"([["1"]])"));
  dir_.Write("c.parquet", "this is no parquet");
  const auto differ = Plan(R"({"uris": ["a.parquet", "b.parquet"]})");
  ASSERT_FALSE(differ.ok());
  EXPECT_EQ(differ.error().message, "column 'x' is string in 'b.parquet' but int64 in 'a.parquet'");
  EXPECT_EQ(Plan(R"({"uris": ["a.parquet", "c.parquet"]})").error().kind, Kind::kFailed);
  EXPECT_EQ(Plan(R"({"uri": "a.parquet", "columns": ["y"]})").error().kind, Kind::kInvalid);
  // Once for each state of the files.
  ASSERT_TRUE(Plan(R"({"uri": "a.parquet"})").ok());
  const double opened = host_.metrics().Value("sheaf_files_opened_total");
  ASSERT_TRUE(Plan(R"({"uri": "a.parquet"})").ok());
  EXPECT_EQ(host_.metrics().Value("sheaf_files_opened_total"), opened);
  WriteParquet("a.parquet", TableOf({arrow::field("x", arrow::int64())}, "[[1], [2]]"));
  ASSERT_TRUE(Plan(R"({"uri": "a.parquet"})").ok());
  EXPECT_EQ(host_.metrics().Value("sheaf_files_opened_total"), opened + 1);
}

TEST_F(FilesTest, SchemaPlanKnowsSchemaAndRows) {
  WriteParquet("a.parquet", Numbers(0, 100));
  WriteParquet("b.parquet", Numbers(100, 50));
  const auto plan = PlanSchema(R"({"uris": ["a.parquet", "b.parquet"], "columns": ["b", "a"]})");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->schema->ToString(), "b: string\na: int64");
  EXPECT_EQ(plan->estimate.rows, 150);
  EXPECT_GT(plan->estimate.bytes, 0);
  const Answer answer = RunPlan(*plan, Context());
  ASSERT_TRUE(answer.status.ok());
  EXPECT_TRUE(answer.schema->Equals(*plan->schema, true));
}

TEST_F(FilesTest, SeveralFilesAreSeveralPartitionsInTheOrderGiven) {
  WriteParquet("a.parquet", Numbers(0, 2'000));
  WriteParquet("b.parquet", Numbers(2'000, 3'000));
  WriteParquet("c.parquet", Numbers(5'000, 10));
  const Answer answer = Ask(R"({"uris": ["c.parquet", "a.parquet", "b.parquet"]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ASSERT_EQ(answer.partitions.size(), 3U);
  ExpectSame(*answer.Table(0), *Numbers(5'000, 10));
  ExpectSame(*answer.Table(1), *Numbers(0, 2'000));
  ExpectSame(*answer.Table(2), *Numbers(2'000, 3'000));
  const Answer sorted = Ask(R"({"uri": "*.parquet"})");
  ExpectSame(*sorted.Table(), *Numbers(0, 5'010));
}

TEST_F(FilesTest, ColumnsOfLaterFilesAreFoundByName) {
  WriteParquet("a.parquet",
               TableOf({arrow::field("x", arrow::int64()), arrow::field("y", arrow::utf8())},
                       R"([[1, "one"]])"));
  WriteParquet("b.parquet",
               TableOf({arrow::field("y", arrow::utf8()), arrow::field("x", arrow::int64())},
                       R"([["two", 2]])"));
  const Answer answer = Ask(R"({"uri": "?.parquet"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("x", arrow::int64()), arrow::field("y", arrow::utf8())},
                      R"([[1, "one"], [2, "two"]])"));
}

TEST_F(FilesTest, SchemasThatDifferNameFileColumnAndBothTypes) {
  WriteParquet("a.parquet", TableOf({arrow::field("x", arrow::int64())}, "[[1]]"));
  WriteParquet("b.parquet", TableOf({arrow::field("x", arrow::utf8())}, R"([["1"]])"));
  WriteParquet("c.parquet", TableOf({arrow::field("z", arrow::int64())}, "[[1]]"));
  WriteParquet(
      "d.parquet",
      TableOf({arrow::field("x", arrow::int64()), arrow::field("w", arrow::int64())}, "[[1, 2]]"));
  const Error type = Refusal(R"({"uris": ["a.parquet", "b.parquet"]})");
  EXPECT_EQ(type.kind, Kind::kFailed);
  EXPECT_EQ(type.message, "column 'x' is string in 'b.parquet' but int64 in 'a.parquet'");
  EXPECT_EQ(PlanSchema(R"({"uris": ["a.parquet", "b.parquet"]})").error().message, type.message);
  EXPECT_EQ(Refusal(R"({"uris": ["a.parquet", "c.parquet"]})").message,
            "'c.parquet' has no column 'x', which 'a.parquet' has");
  EXPECT_EQ(Refusal(R"({"uris": ["a.parquet", "d.parquet"]})").message,
            "'d.parquet' has a column 'w', which 'a.parquet' has not");
}

TEST_F(FilesTest, MoreThanAThousandFilesSharePartitions) {
  constexpr int kFiles = 1'500;
  for (int n = 0; n < kFiles; ++n) {
    const std::string digits = std::to_string(10'000 + n).substr(1);
    dir_.Write("many/" + digits + ".csv", "n\n" + std::to_string(n) + "\n");
  }
  const Answer answer = Ask(R"({"uri": "many"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.partitions.size(), 1'024U);
  const auto column = answer.Table()->CombineChunks().ValueOrDie()->column(0)->chunk(0);
  const auto& numbers = static_cast<const arrow::Int64Array&>(*column);
  ASSERT_EQ(numbers.length(), kFiles);
  for (int n = 0; n < kFiles; ++n) ASSERT_EQ(numbers.Value(n), n);
}

TEST_F(FilesTest, ReplacedFileHasAnotherTokenAndFailsTheRunThatPlannedTheOld) {
  WriteParquet("t.parquet", Numbers(0, 10));
  const auto before = Plan(R"({"uri": "t.parquet"})");
  WriteParquet("new.parquet", Numbers(10, 10));
  std::filesystem::rename(dir_ / "new.parquet", dir_ / "t.parquet");
  const auto after = Plan(R"({"uri": "t.parquet"})");
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->sources[0].source, after->sources[0].source);
  EXPECT_NE(before->sources[0].token, after->sources[0].token);
  const Answer answer = RunPlan(*before, Context());
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kFailed);
  EXPECT_EQ(answer.status.error().message, "'t.parquet' was changed while it was being read");
  EXPECT_TRUE(RunPlan(*after, Context()).status.ok());
}

TEST_F(FilesTest, FileThatGrowsWhileItIsReadFailsTheRun) {
  std::string text = "n\n";
  for (int n = 0; n < 1'000'000; ++n) text += std::to_string(n) + "\n";
  const std::string path = dir_.Write("t.csv", text);
  on_write_ = [&](uint32_t, const Batch&) -> Status {
    std::ofstream(path, std::ios::app) << "1\n";
    return Done();
  };
  const Error error = Refusal(R"({"uri": "t.csv"})");
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_NE(error.message.find("was changed"), std::string::npos) << error.message;
}

TEST_F(FilesTest, ReplacementWhileReadingIsNotMixedIn) {
  WriteParquet("t.parquet", Numbers(0, 20'000), 1'000);
  WriteParquet("new.parquet", Numbers(90'000, 20'000), 1'000);
  std::optional<module::Plan> before = *Plan(R"({"uri": "t.parquet"})");
  bool replaced = false;
  on_write_ = [&](uint32_t, const Batch&) -> Status {
    if (!std::exchange(replaced, true)) {
      std::filesystem::rename(dir_ / "new.parquet", dir_ / "t.parquet");
    }
    return Done();
  };
  const Answer answer = RunPlan(*before, Context());
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(), *Numbers(0, 20'000));  // The engine compares tokens afterwards.
  EXPECT_NE(Plan(R"({"uri": "t.parquet"})")->sources[0].token, before->sources[0].token);
}

TEST_F(FilesTest, RunEndsSoonAfterItsCancel) {
  WriteParquet("t.parquet", Numbers(0, 200'000), 1'000);
  CancelSource source;
  int written = 0;
  on_write_ = [&](uint32_t, const Batch&) -> Status {
    if (++written == 3) source.Cancel(Fail(Kind::kShuttingDown, "draining"));
    return Done();
  };
  module::RunContext context = Context();
  context.cancel = source.token();
  const Answer answer = Ask(R"({"uri": "t.parquet"})", context);
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kShuttingDown);
  EXPECT_EQ(written, 3);
}

TEST_F(FilesTest, CancelStopsBothThreads) {
  for (int n = 0; n < 8; ++n) WriteParquet(std::to_string(n) + ".parquet", Numbers(0, 50'000), 500);
  CancelSource source;
  std::atomic<int> written = 0;
  on_write_ = [&](uint32_t, const Batch&) -> Status {
    if (++written == 5) source.Cancel();
    return Done();
  };
  module::RunContext context = Context();
  context.cancel = source.token();
  const Answer answer = Ask(R"({"uri": "*.parquet"})", context);
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kCancelled);
  EXPECT_LE(written, 7);
}

TEST_F(FilesTest, RunEndsAtItsDeadline) {
  WriteParquet("t.parquet", Numbers(0, 50'000), 1'000);
  module::RunContext context = Context();
  context.deadline = Deadline::After(host_.clock(), std::chrono::seconds(1));
  int written = 0;
  on_write_ = [&](uint32_t, const Batch&) -> Status {
    if (++written == 2) host_.manual().Advance(std::chrono::seconds(2));
    return Done();
  };
  const Answer answer = Ask(R"({"uri": "t.parquet"})", context);
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kDeadline);
  EXPECT_EQ(written, 2);
}

TEST_F(FilesTest, ErrorOfTheWriterEndsTheRun) {
  for (int n = 0; n < 4; ++n) WriteParquet(std::to_string(n) + ".parquet", Numbers(0, 9'000));
  on_write_ = [](uint32_t partition, const Batch&) -> Status {
    if (partition == 1) return Fail(Kind::kExhausted, "the disk is full");
    return Done();
  };
  const Error error = Refusal(R"({"uri": "*.parquet"})");
  EXPECT_EQ(error.kind, Kind::kExhausted);
  EXPECT_EQ(error.message, "the disk is full");
}

TEST_F(FilesTest, BatchesOutliveServiceAndAccountIsEmptyAfterTheRun) {
  WriteParquet("t.parquet", Numbers(0, 10'000));
  const Answer answer = Ask(R"({"uri": "t.parquet", "filter": [["a", ">=", 10]]})");
  module_->Stop();
  EXPECT_EQ(host_.account()->used().count, 0);
  EXPECT_GT(host_.account()->peak().count, 0);
  ExpectSame(*answer.Table(), *Numbers(10, 9'990));
}

TEST_F(FilesTest, MemoryOfTheRunIsALimit) {
  WriteParquet("t.parquet", Numbers(0, 60'000), 60'000);
  module::RunContext context = Context();
  context.memory_max = 64_KiB;
  const Answer answer = Ask(R"({"uri": "t.parquet"})", context);
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kExhausted);
}

TEST_F(FilesTest, FullAccountRefusesTheRun) {
  WriteParquet("t.parquet", Numbers(0, 60'000), 60'000);
  module::RunContext context = Context();
  context.account = host_.account()->Open("run", 32_KiB);
  const Answer answer = Ask(R"({"uri": "t.parquet"})", context);
  ASSERT_FALSE(answer.status.ok());
  EXPECT_EQ(answer.status.error().kind, Kind::kExhausted);
}

TEST_F(FilesTest, SmallBatchesAreAboutTwoMebibytes) {
  WriteParquet("t.parquet", Numbers(0, 400'000), 400'000);
  const Answer answer = Ask(R"({"uri": "t.parquet"})");
  ASSERT_TRUE(answer.status.ok());
  ASSERT_GT(answer.partitions[0].size(), 4U);
  for (const Batch& batch : answer.partitions[0]) {
    EXPECT_LT(columnar::TrueBytes(*batch).count, 4 << 20);
  }
}

TEST_F(FilesTest, MetricsCount) {
  WriteParquet("t.parquet", Numbers(0, 5'000), 1'000);
  ASSERT_TRUE(Ask(R"({"uri": "t.parquet", "filter": [["a", "<", 1000]]})").status.ok());
  EXPECT_EQ(host_.metrics().Value("sheaf_files_opened_total"), 1);
  EXPECT_EQ(host_.metrics().Value("sheaf_files_rows_total"), 1'000);
  EXPECT_EQ(host_.metrics().Value("sheaf_files_row_groups_pruned_total"), 4);
  EXPECT_GT(host_.metrics().Value("sheaf_files_read_bytes_total"), 0);
}

TEST_F(FilesTest, ModuleSaysWhetherItIsReady) {
  EXPECT_EQ(module_->Check().state, module::Health::State::kReady);
  const auto fresh = MakeFilesModule();
  EXPECT_EQ(fresh->name(), "files");
  EXPECT_EQ(fresh->Check().state, module::Health::State::kNotReady);
  TestHost host;
  host.settings["roots"] = 7;
  const Status status = fresh->Start(host);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, Kind::kInvalid);
}

TEST_F(FilesTest, PutIsUnsupported) {
  const auto reader = arrow::RecordBatchReader::Make({}, arrow::schema({})).ValueOrDie();
  const auto put = service().Put(Json::object(), *reader, Context());
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().kind, Kind::kUnsupported);
}

}  // namespace
}  // namespace sheaf::files
