// PLAN  end to end over fakes: answers, parameters, errors with a place, nothing partial
//       limits: rows, memory, disk forbidden, spill removed · settings refused by name
//       cancel: within a second, its reason, also DuckDB that does not look up
//       inputs: their errors keep kind and words, nothing touches them after the run
#include <gmock/gmock.h>

#include <filesystem>
#include <random>
#include <thread>

#include "sheaf/services/sql/fakes_test.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace sheaf::sql {
namespace {

using testing::Array;
using testing::FakeWriter;
using ::testing::HasSubstr;
using testing::InputOf;
using testing::Inputs;
using testing::Numbers;
using testing::SqlTest;
using ::testing::StartsWith;

class ServiceTest : public SqlTest {};

TEST_F(ServiceTest, AnswersOverItsInputs) {
  EXPECT_EQ(Ask("select sum(a.n) from x a join x b using (n)", {{"x", Numbers(100'000)}}),
            "4999950000");
  EXPECT_EQ(Ask("select count(*) from a, b", {{"a", Numbers(10)}, {"b", Numbers(20)}}), "200");
  EXPECT_EQ(Metric("sheaf_sql_runs_total{outcome=\"ok\"}"), 2);
  EXPECT_EQ(Metric("sheaf_sql_rows_total"), 2);
}

TEST_F(ServiceTest, ParametersAreBound) {
  EXPECT_EQ(AskSpec(Json{{"sql", "select ? + ?"}, {"params", {1, 2}}}), "3");
  EXPECT_EQ(AskSpec(Json{{"sql", "select $b || $a"}, {"params", {{"a", "x"}, {"b", "y"}}}}), "yx");
  EXPECT_EQ(
      AskSpec(Json{{"sql", "select n from t where n = $1"}, {"params", {7}}}, {{"t", Numbers(10)}}),
      "7");
}

TEST_F(ServiceTest, ExplainTellsAndAnalyzeRuns) {
  FakeWriter writer;
  ASSERT_TRUE(Run({{"sql", "explain analyze select sum(n) from t"}}, {{"t", Numbers(1000)}}, writer,
                  Context())
                  .ok());
  EXPECT_THAT(writer.table()->ToString(), HasSubstr("t"));
}

TEST_F(ServiceTest, AnEmptyResultHasASchema) {
  FakeWriter writer;
  ASSERT_TRUE(
      Run({{"sql", "select n from t where n < 0"}}, {{"t", Numbers(10)}}, writer, Context()).ok());
  EXPECT_EQ(writer.schema()->ToString(), "n: int64");
  EXPECT_EQ(writer.rows(), 0);
}

TEST_F(ServiceTest, SqlErrorsAreFailedWithAPlace) {
  FakeWriter writer;
  const auto error =
      Run({{"sql", "select\n  m from t"}}, {{"t", Numbers(1)}}, writer, Context()).error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_THAT(error.message, StartsWith("Binder Error: Referenced column \"m\" not found"));
  EXPECT_THAT(error.message, HasSubstr("LINE 2:   m from t\n          ^"));
  EXPECT_EQ(writer.schema(), nullptr);
  EXPECT_EQ(Metric("sheaf_sql_runs_total{outcome=\"failed\"}"), 1);
}

TEST_F(ServiceTest, AFailureHalfWayFailsTheRun) {
  EXPECT_THAT(Ask("select cast(case when n = 90000 then 'x' else '1' end as int) from t",
                  {{"t", Numbers(100'000)}}),
              StartsWith("failed: Conversion Error: Could not convert string 'x'"));
}

TEST_F(ServiceTest, AnInputsErrorKeepsItsKind) {
  auto input = Numbers(10);
  input.open = []() -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
    return Fail(Kind::kDependency, "the node is gone", "{\"node\": 7}");
  };
  FakeWriter writer;
  const auto error = Run({{"sql", "from t"}}, {{"t", input}}, writer, Context()).error();
  EXPECT_EQ(error.kind, Kind::kDependency);
  EXPECT_EQ(error.message, "input t: the node is gone");
  EXPECT_EQ(error.details, "{\"node\": 7}");
}

TEST_F(ServiceTest, AWritersErrorEndsTheRun) {
  FakeWriter writer;
  writer.on_write = [] { return Fail(Kind::kExhausted, "the disk is full"); };
  const auto status =
      Run({{"sql", "select a.n from t a, t b"}}, {{"t", Numbers(100'000)}}, writer, Context());
  EXPECT_EQ(status.error().message, "the disk is full");
}

TEST_F(ServiceTest, RowsHaveALimit) {
  Start({{"rows_max", 1000}});
  EXPECT_EQ(Ask("select n from t", {{"t", Numbers(2000)}}),
            "exhausted: the result has more than 1000 rows (sql.rows_max)");
  EXPECT_EQ(Ask("select n from t", {{"t", Numbers(1000)}}), "1000 rows");
}

TEST_F(ServiceTest, SettingsAreCheckedByName) {
  for (const auto& [key, bad] : std::map<std::string, Json>{{"memory", "lots"},
                                                            {"memory", 1},
                                                            {"threads", 0},
                                                            {"temp_bytes_max", true},
                                                            {"rows_max", -1}}) {
    host_.settings = {{key, bad}};
    const auto module = MakeSqlModule();
    const auto started = module->Start(host_);
    ASSERT_FALSE(started.ok()) << key;
    EXPECT_EQ(started.error().kind, Kind::kInvalid);
    EXPECT_THAT(started.error().message, StartsWith("sql." + key + ": "));
  }
}

class SpillTest : public SqlTest {
 protected:
  void SetUp() override {
    host_.own_path = directory_.path();
    Start({{"memory", "64MiB"}});
  }
  const Json sorting_ = {{"sql", "select n, hash(n) from t order by hash(n)"}};
  testkit::TemporaryDirectory directory_;
};

TEST_F(SpillTest, MemoryIsSpilledAndTheDirectoryRemoved) {
  FakeWriter writer;
  const auto status = Run(sorting_, {{"t", Numbers(3'000'000)}}, writer, Context());
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(writer.rows(), 3'000'000);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(SpillTest, AForbiddenDiskIsNotTouched) {
  FakeWriter writer;
  auto context = Context();
  context.disk = module::RunContext::Disk::kForbidden;
  const auto status = Run(sorting_, {{"t", Numbers(3'000'000)}}, writer, context);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, Kind::kExhausted);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(SpillTest, TheRunsMemoryLowersTheLimit) {
  Start({{"memory", "1GiB"}});
  auto context = Context();
  context.disk = module::RunContext::Disk::kForbidden;
  FakeWriter roomy;
  EXPECT_TRUE(Run(sorting_, {{"t", Numbers(3'000'000)}}, roomy, context).ok());
  for (const auto& [limit, said] :
       {std::pair(Bytes{50'000'000},
                  "its limit of 50000000 bytes (options.memory_bytes of the "
                  "command), and retain_s 0 keeps it from spilling to disk"),
        std::pair(1_MiB,
                  "its limit of 1048576 bytes (options.memory_bytes of the command; 16MiB "
                  "were given), and")}) {
    context.memory_max = limit;
    FakeWriter narrow;
    const auto status = Run(sorting_, {{"t", Numbers(3'000'000)}}, narrow, context);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, Kind::kExhausted);
    EXPECT_THAT(status.error().message, HasSubstr(said));
  }
}

TEST_F(SpillTest, TheNodesOwnLimitIsNamedToo) {
  auto context = Context();
  context.disk = module::RunContext::Disk::kForbidden;
  FakeWriter writer;
  EXPECT_THAT(Run(sorting_, {{"t", Numbers(3'000'000)}}, writer, context).error().message,
              HasSubstr("its limit of 64MiB (sql.memory)"));
  Start({{"memory", "64MiB"}, {"temp_bytes_max", "1MiB"}});
  FakeWriter another;
  EXPECT_THAT(Run(sorting_, {{"t", Numbers(3'000'000)}}, another, Context()).error().message,
              HasSubstr("1MiB to disk (sql.temp_bytes_max)"));
}

TEST_F(SpillTest, WhatIsHeldIsChargedAndReleased) {
  Start({{"memory", "1GiB"}});
  auto context = Context();
  context.account = Account::Root("run", {});
  FakeWriter writer;
  ASSERT_TRUE(Run(sorting_, {{"t", Numbers(3'000'000)}}, writer, context).ok());
  EXPECT_GT(context.account->peak(), 16_MiB);
  EXPECT_EQ(context.account->used(), 0_B);
}

TEST_F(ServiceTest, MemoryThatDuckDbDoesNotCountEndsTheRun) {
  Start({{"memory", "64MiB"}, {"memory_slack", "64MiB"}});
  EXPECT_THAT(Ask("select max(hash(repeat('x', 200000) || n)) from t", {{"t", Numbers(300'000)}}),
              StartsWith("exhausted: the query holds far more memory than its limit of 64MiB"));
  EXPECT_EQ(Metric("sheaf_sql_memory_cut_total"), 1);
  EXPECT_EQ(Ask("select 1"), "1");
}

class CancelTest : public SqlTest {
 protected:
  // Runs until cancelled after 200 ms; how long the end took, and the status in `status_`.
  Duration Cancel(const std::string& sql, const Inputs& inputs) {
    const CancelSource source;
    const time::SystemClock clock;
    Instant asked{};
    std::thread canceller([&] {
      Event().WaitFor(std::chrono::milliseconds(200));
      asked = clock.Now();
      source.Cancel(Fail(Kind::kDeadline, "the deadline has passed"));
    });
    FakeWriter writer;
    writer.keep = false;
    status_ = Run({{"sql", sql}}, inputs, writer, Context(source.token()));
    const Instant end = clock.Now();
    canceller.join();
    return end - asked;
  }

  Status status_;
};

TEST_F(CancelTest, EndsWithinASecondWithTheTokensReason) {
  const Inputs inputs = {{"t", Numbers(100'000)}};
  for (const std::string sql :
       {"select count(*) from t a, t b, t c where a.n + b.n + c.n = 7",
        "select a.n from t a, t b",  // Streams.
        "select count(distinct a.n * 1000003 + b.n) from t a, t b", "select sleep_ms(60000)"}) {
    EXPECT_LT(Cancel(sql, inputs), std::chrono::seconds(1)) << sql;
    ASSERT_FALSE(status_.ok()) << sql;
    EXPECT_EQ(status_.error().kind, Kind::kDeadline) << sql;
    EXPECT_EQ(status_.error().message, "the deadline has passed") << sql;
  }
  EXPECT_EQ(Metric("sheaf_sql_runs_total{outcome=\"cancelled\"}"), 4);
}

TEST_F(CancelTest, DuckDbThatDoesNotLookUpIsLeftBehind) {
  // One costly scalar: DuckDB looks for interrupts between vectors of 2,048 rows.
  const std::string sql =
      "select max(levenshtein(repeat('ab', 400) || n, repeat('ba', 400) || n)) from t";
  EXPECT_LT(Cancel(sql, {{"t", Numbers(3'000)}}), std::chrono::seconds(1));
  EXPECT_EQ(status_.error().kind, Kind::kDeadline);
  EXPECT_EQ(Metric("sheaf_sql_lingering"), 1);
  EXPECT_EQ(Ask("select 1"), "1");  // Others run meanwhile.
  module_->Stop();                  // Waits for it.
  EXPECT_EQ(Metric("sheaf_sql_lingering"), 0);
  Start({});
}

TEST_F(CancelTest, TooManyLeftBehindAndRunsAreRefused) {
  observe::MemoryMetrics metrics;
  auto service = SqlService::Open({.lingering_max = 1}, metrics, "").value();
  const auto plan = [&](const std::string& sql) {
    const Json spec = {{"sql", sql}};
    return service->MakePlan({.spec = spec}).value();
  };
  FakeWriter writer;
  const CancelSource source;
  std::thread canceller([&] {
    Event().WaitFor(std::chrono::milliseconds(200));
    source.Cancel();
  });
  const auto costly = plan(
      "select max(levenshtein(repeat('ab', 400) || range, "
      "repeat('ba', 400) || range)) from range(3000)");
  EXPECT_FALSE(service->Run(costly, {}, writer, Context(source.token())).ok());
  canceller.join();
  EXPECT_EQ(service->lingering(), 1u);
  const auto refused = service->Run(plan("select 1"), {}, writer, Context()).error();
  EXPECT_EQ(refused.kind, Kind::kExhausted);
  EXPECT_EQ(refused.message, "1 cancelled queries have not ended yet; try again");
}

TEST_F(CancelTest, AtAnyMomentIsClean) {
  std::mt19937_64 random(testkit::Seed());
  const int rounds = testkit::Soak() ? 2'000 : 40;
  for (int round = 0; round < rounds; ++round) {
    const CancelSource source;
    const auto wait = std::chrono::microseconds(random() % 30'000);
    std::thread canceller([&] {
      Event().WaitFor(wait);
      source.Cancel();
    });
    FakeWriter writer;
    const auto status =
        Run({{"sql", "select a.n, b.n from t a join t b using (n) order by 1 desc"}},
            {{"t", Numbers(30'000)}}, writer, Context(source.token()));
    canceller.join();
    if (status.ok()) {
      EXPECT_EQ(writer.rows(), 30'000);
    } else {
      EXPECT_EQ(status.error().kind, Kind::kCancelled) << status.error().message;
    }
  }
  EXPECT_EQ(Metric("sheaf_sql_lingering"), 0);
  EXPECT_EQ(Metric("sheaf_sql_running"), 0);
}

TEST_F(CancelTest, ACancelledTokenRunsNothing) {
  const CancelSource source;
  source.Cancel();
  FakeWriter writer;
  const auto status = Run({{"sql", "select 1"}}, {}, writer, Context(source.token()));
  EXPECT_EQ(status.error().kind, Kind::kCancelled);
  EXPECT_EQ(writer.schema(), nullptr);
}

TEST_F(CancelTest, AReaderThatWaitsIsNotTouchedAfterTheRun) {
  const CancelSource source;
  auto open_readers = std::make_shared<std::atomic<int>>(0);
  struct Slow final : arrow::RecordBatchReader {
    Slow(std::shared_ptr<std::atomic<int>> count, CancelToken token)
        : count_(std::move(count)), token_(std::move(token)) {
      ++*count_;
    }
    ~Slow() override { --*count_; }
    Schema schema() const override { return testing::IntsBatch(0, 1)->schema(); }
    arrow::Status ReadNext(Batch* batch) override {
      while (!token_.cancelled()) Event().WaitFor(std::chrono::milliseconds(5));
      *batch = nullptr;
      return arrow::Status::Cancelled("cancelled");
    }
    std::shared_ptr<std::atomic<int>> count_;
    CancelToken token_;
  };
  module::RunInput input{.schema = testing::IntsBatch(0, 1)->schema(),
                         .open = [&]() -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
                           return std::make_shared<Slow>(open_readers, source.token());
                         }};
  std::thread canceller([&] {
    Event().WaitFor(std::chrono::milliseconds(100));
    source.Cancel();
  });
  FakeWriter writer;
  const auto status = Run({{"sql", "select count(*) from t a, t b"}}, {{"t", input}}, writer,
                          Context(source.token()));
  EXPECT_EQ(open_readers->load(), 0);
  canceller.join();
  EXPECT_EQ(status.error().kind, Kind::kCancelled);
}

TEST_F(CancelTest, ProgressIsTold) {
  double last = 0;
  int calls = 0;
  auto context = Context();
  context.progress = [&](double now) {
    EXPECT_GT(now, last);
    EXPECT_LE(now, 1.0);
    last = now;
    ++calls;
  };
  FakeWriter writer;
  ASSERT_TRUE(Run({{"sql", "select sum(sin(a.n * b.n)) from t a, s b"}},
                  {{"t", Numbers(1'000'000)}, {"s", Numbers(60)}}, writer, context)
                  .ok());
  EXPECT_GT(calls, 0);
}

TEST_F(CancelTest, ManyRunsAtOnceDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        const auto rows = 1'000 * (i + 1);
        const auto answer = Ask("select sum(n) from t", {{"t", Numbers(rows)}});
        right += answer == std::to_string(int64_t{rows} * (rows - 1) / 2) ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right.load(), 40);
}

class ModuleTest : public SqlTest {};

TEST_F(ModuleTest, IsReadyOnceStarted) {
  EXPECT_EQ(module_->name(), "sql");
  EXPECT_EQ(module_->Check().state, module::Health::State::kReady);
  EXPECT_EQ(service().name(), "sql");
  EXPECT_EQ(MakeSqlModule()->Check().state, module::Health::State::kNotReady);
}

}  // namespace
}  // namespace sheaf::sql
