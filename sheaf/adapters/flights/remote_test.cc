// PLAN  a long run is waited for in turns, and progress is told · endpoints are read in order ·
//       without progress one round trip · the server's errors come out whole · no server is
//       unreachable and named · a put commits explicitly, aborts on a failing reader, sends an
//       empty table's schema, and does not know what a lost answer means · cancel and drop reach
//       the server · a deadline ends the wait · columns are cut here, filters refused

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "sheaf/adapters/flights/flights.h"
#include "sheaf/adapters/flights/witness_test.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;
namespace fl = arrow::flight;
using testing::Numbers;
using testing::NumbersSchema;
using testing::Said;
using testing::Witness;

std::shared_ptr<const Command> SomeCommand(const char* sink = "") {
  return Command::Parse(R"({"service":"sql","spec":{"sql":"select 1"})" + std::string(sink) + "}")
      .value();
}

class RemoteTest : public ::testing::Test {
 protected:
  Witness& Serve(Witness::Script script) {
    witness_ = std::make_unique<Witness>(std::move(script));
    remote_ = OpenRemote(witness_->uri(), clock_, {.token = "secret"}).value();
    return *witness_;
  }
  // A server whose every stream has two batches of numbers.
  Witness& ServeNumbers(std::vector<std::string> tickets = {"one"}) {
    return Serve({.info = [tickets](const auto&) { return tickets; },
                  .get =
                      [](const auto&) {
                        return std::vector<Batch>{Numbers(0, 3), Numbers(3, 2)};
                      }});
  }
  static int64_t RowsOf(arrow::RecordBatchReader& reader) {
    auto table = reader.ToTable();
    EXPECT_TRUE(table.ok()) << table.status();
    return table.ok() ? (*table)->num_rows() : -1;
  }
  GetRequest Asked(int* turns = nullptr, const char* sink = "") {
    return {.what = SomeCommand(sink), .on_progress = [turns](const Json&) {
              if (turns != nullptr) ++*turns;
            }};
  }
  Sink SinkOf(const char* path) { return {.path = Path::Make({"test", path}).value()}; }

  time::SystemClock clock_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<Flights> remote_;
  Context context_;
};

TEST_F(RemoteTest, LongRunIsWaitedForInTurnsAndThenRead) {
  std::atomic<int> polls = 0;
  auto& witness = Serve({.info = [&](const auto&) -> arrow::Result<std::vector<std::string>> {
                           if (++polls < 3) {
                             return Said(Kind::kPoll, "running",
                                         R"({"task":"t9","progress":0.5,"after_ms":10})");
                           }
                           return std::vector<std::string>{"first", "second"};
                         },
                         .get =
                             [](const std::string& ticket) {
                               return std::vector<Batch>{Numbers(ticket == "first" ? 0 : 100, 2)};
                             }});
  int turns = 0;
  auto stream = remote_->Get(Asked(&turns), context_);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(turns, 2);
  EXPECT_EQ(stream->metadata["task"], "t1");
  auto table = *stream->reader->ToTable();
  EXPECT_EQ(table->column(0)->ToString(), R"([
  [
    0,
    1
  ],
  [
    100,
    101
  ]
])");
  EXPECT_THAT(witness.told(),
              ElementsAre(StartsWith(R"(info {"service":"sql")"), R"(info {"task":"t9"})",
                          R"(info {"task":"t9"})", "get first", "get second"));
  EXPECT_THAT(witness.headers(), ::testing::IsSupersetOf({Pair("sheaf-pollable", "true"),
                                                          Pair("sheaf-wait-ms", "1000"),
                                                          Pair("authorization", "Bearer secret")}));
}

TEST_F(RemoteTest, WithoutProgressAGetIsOneRoundTrip) {
  std::atomic<int> polls = 0;
  auto& witness = Serve({.get = [&](const auto&) -> arrow::Result<std::vector<Batch>> {
    if (++polls < 2) return Said(Kind::kPoll, "running", R"({"task":"t9","after_ms":10})");
    return std::vector<Batch>{Numbers(0, 4)};
  }});
  auto stream = remote_->Get({.what = SomeCommand()}, context_);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(RowsOf(*stream->reader), 4);
  EXPECT_THAT(witness.told(),
              ElementsAre(StartsWith(R"(get {"service":"sql")"), R"(get {"task":"t9"})"));
}

TEST_F(RemoteTest, PinnedPathIsAJsonTicket) {
  auto& witness = ServeNumbers();
  const command::PathRef path{Path::Make({"raw", "orders"}).value(), 12};
  auto stream = remote_->Get({.what = path, .on_progress = [](const Json&) {}}, context_);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(RowsOf(*stream->reader), 5);
  EXPECT_THAT(witness.told(), ElementsAre(R"(get {"generation":12,"path":["raw","orders"]})"));
}

TEST_F(RemoteTest, ServersErrorComesOutWhole) {
  Serve({.info = [](const auto&) {
    return Said(Kind::kBackpressure, "queue full", R"({"after_ms":250})", Effect::kUnknown);
  }});
  auto stream = remote_->Get(Asked(), context_);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().kind, Kind::kBackpressure);
  EXPECT_EQ(stream.error().effect, Effect::kUnknown);
  EXPECT_EQ(stream.error().message, "queue full");
  EXPECT_THAT(stream.error().details, HasSubstr("250"));
  EXPECT_FALSE(IsUnreachable(stream.error()));
}

TEST_F(RemoteTest, NoServerIsUnreachableAndNamed) {
  remote_ = OpenRemote("grpc://127.0.0.1:1", clock_).value();
  const auto health = remote_->Do("HealthCheck", Json::object(), context_);
  ASSERT_FALSE(health.ok());
  EXPECT_EQ(health.error().kind, Kind::kDependency);
  EXPECT_THAT(health.error().message, HasSubstr("grpc://127.0.0.1:1"));
  EXPECT_TRUE(IsUnreachable(health.error())) << health.error().message;
}

TEST_F(RemoteTest, AddressOfAnotherKindIsInvalid) {
  EXPECT_EQ(OpenRemote("http://127.0.0.1:1", clock_).error().kind, Kind::kInvalid);
  EXPECT_EQ(OpenRemote("localhost:8815", clock_).error().kind, Kind::kInvalid);
}

TEST_F(RemoteTest, PutCommitsExplicitly) {
  auto& witness = ServeNumbers();
  auto reader = *arrow::RecordBatchReader::Make({Numbers(0, 3), Numbers(3, 4)});
  auto receipt = remote_->Put(SinkOf("t"), *reader, context_);
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  EXPECT_EQ(receipt->rows, 7);
  EXPECT_EQ(receipt->generation, 9223372036854775807u);
  EXPECT_TRUE(receipt->durable);
  EXPECT_EQ(witness.headers()["sheaf-commit"], "explicit");
  EXPECT_THAT(witness.told(),
              ElementsAre(AllOf(StartsWith("put {\"sink\":"), HasSubstr(R"(["test","t"])")),
                          R"(message {"commit":{"rows":7}})"));
}

TEST_F(RemoteTest, PutOfNoRowsSendsItsSchema) {
  auto& witness = ServeNumbers();
  auto reader = *arrow::RecordBatchReader::Make({}, NumbersSchema());
  auto receipt = remote_->Put(SinkOf("t"), *reader, context_);
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  EXPECT_EQ(receipt->rows, 0);
  EXPECT_TRUE(witness.WasTold(R"(message {"commit":{"rows":0}})"));
}

TEST_F(RemoteTest, FailingReaderAbortsAndItsErrorReturns) {
  auto& witness = ServeNumbers();
  int calls = 0;
  auto reader = *arrow::RecordBatchReader::MakeFromIterator(
      arrow::MakeFunctionIterator([&]() -> arrow::Result<Batch> {
        if (++calls < 3) return Numbers(calls, 2);
        return columnar::ToArrow(Fail(Kind::kCorrupt, "page 7 is torn"));
      }),
      NumbersSchema());
  auto receipt = remote_->Put(SinkOf("t"), *reader, context_);
  ASSERT_FALSE(receipt.ok());
  EXPECT_EQ(receipt.error().kind, Kind::kCorrupt);
  EXPECT_EQ(receipt.error().message, "page 7 is torn");
  EXPECT_TRUE(witness.WasTold(R"(message {"abort":true})"));
  EXPECT_FALSE(witness.WasTold(R"(message {"commit")"));
}

TEST_F(RemoteTest, ConflictAtTheOpeningOfAPutIsReported) {
  Serve({.on_open_put = [] { return Said(Kind::kConflict, "another writer"); }});
  std::vector<Batch> many;
  for (int i = 0; i < 200; ++i) many.push_back(Numbers(0, 50'000));
  auto reader = *arrow::RecordBatchReader::Make(many);
  auto receipt = remote_->Put(SinkOf("t"), *reader, context_);
  ASSERT_FALSE(receipt.ok());
  EXPECT_EQ(receipt.error().kind, Kind::kConflict) << receipt.error().message;
  EXPECT_EQ(receipt.error().effect, Effect::kNone);
}

TEST_F(RemoteTest, LostAnswerOfAPutHasUnknownEffect) {
  Serve({.on_commit = [] {
    return fl::MakeFlightError(fl::FlightStatusCode::Unavailable, "connection reset");
  }});
  auto reader = *arrow::RecordBatchReader::Make({Numbers(0, 3)});
  auto receipt = remote_->Put(SinkOf("t"), *reader, context_);
  ASSERT_FALSE(receipt.ok());
  EXPECT_EQ(receipt.error().kind, Kind::kDependency);
  EXPECT_EQ(receipt.error().effect, Effect::kUnknown);
}

TEST_F(RemoteTest, CancelEndsTheStreamHereAndTheRunThere) {
  auto& witness = ServeNumbers();
  witness.hold_streams = true;
  CancelSource source;
  context_.cancel = source.token();
  auto stream = remote_->Get(Asked(nullptr, R"(,"sink":{"path":["a","b"]})"), context_);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  Batch batch;
  ASSERT_TRUE(stream->reader->ReadNext(&batch).ok());
  ASSERT_TRUE(stream->reader->ReadNext(&batch).ok());
  Executor executor({.name = "cancel", .threads_max = 1});
  Event reading;
  ASSERT_TRUE(executor.TryPost([&] {
    reading.Wait();
    source.Cancel(Fail(Kind::kCancelled, "ctrl-c"));
  }));
  reading.Set();
  const auto status = stream->reader->ReadNext(&batch);
  EXPECT_EQ(columnar::FromArrow(status).message, "ctrl-c");
  EXPECT_TRUE(witness.WasTold("action CancelFlightInfo"));
  witness.release.Set();
}

TEST_F(RemoteTest, CancelBetweenTurnsCancelsTheTask) {
  CancelSource source;
  context_.cancel = source.token();
  auto& witness = Serve({.info = [&](const auto&) {
    source.Cancel(Fail(Kind::kCancelled, "ctrl-c"));
    return Said(Kind::kPoll, "running", R"({"task":"t9","after_ms":10})");
  }});
  auto stream = remote_->Get(Asked(), context_);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().message, "ctrl-c");
  EXPECT_TRUE(witness.WasTold(R"(action CancelTask {"task":"t9"})"));
}

TEST_F(RemoteTest, DroppedReaderEndsTheRunUnlessItHasASink) {
  for (const char* sink : {"", R"(,"sink":{"path":["a","b"]})"}) {
    auto& witness = ServeNumbers();
    auto stream = remote_->Get(Asked(nullptr, sink), context_);
    ASSERT_TRUE(stream.ok()) << stream.error().message;
    stream->reader.reset();
    EXPECT_EQ(witness.WasTold("action CancelFlightInfo"), *sink == '\0');
  }
}

TEST_F(RemoteTest, ReaderReadToTheEndCancelsNothing) {
  auto& witness = ServeNumbers({"one", "two"});
  auto stream = remote_->Get(Asked(), context_);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(RowsOf(*stream->reader), 10);
  stream->reader.reset();
  EXPECT_FALSE(witness.WasTold("action"));
}

TEST_F(RemoteTest, DeadlineEndsTheWait) {
  Event over;
  Serve({.info = [&](const auto&) -> arrow::Result<std::vector<std::string>> {
    over.Wait();
    return std::vector<std::string>{};
  }});
  context_.deadline = Deadline::After(clock_, std::chrono::milliseconds(100));
  auto stream = remote_->Get(Asked(), context_);
  over.Set();
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().kind, Kind::kDeadline) << stream.error().message;
  EXPECT_EQ(remote_->Do("HealthCheck", {}, context_).error().kind, Kind::kDeadline);
}

TEST_F(RemoteTest, ColumnsAreCutHereAndUnknownOnesNamed) {
  ServeNumbers();
  auto request = Asked();
  request.columns = {"twice"};
  auto stream = remote_->Get(request, context_);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(stream->reader->schema()->field_names(), std::vector<std::string>{"twice"});
  EXPECT_EQ(RowsOf(*stream->reader), 5);
  request.columns = {"twicee"};
  EXPECT_THAT(remote_->Get(request, context_).error().message, HasSubstr("twice"));
}

TEST_F(RemoteTest, FilterIsRefusedWithAWayOut) {
  ServeNumbers();
  auto request = Asked();
  request.filter = Json::array({Json::array({"n", "<", 24})});
  const Error error = remote_->Get(request, context_).error();
  EXPECT_EQ(error.kind, Kind::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("WHERE"));
}

TEST_F(RemoteTest, ActionsListsAndSchemasAreJson) {
  auto& witness = Serve({.action = [](const std::string&, const std::string& body) {
    return arrow::Result<std::vector<std::string>>(std::vector<std::string>{body, "{}"});
  }});
  auto answers = remote_->Do("GetTask", {{"task", "x"}}, context_);
  ASSERT_TRUE(answers.ok()) << answers.error().message;
  EXPECT_THAT(*answers, ElementsAre(Json{{"task", "x"}}, Json::object()));

  auto listed = remote_->List(Path::Make({"a"}).value(), Path(), 10, context_);
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().path.Text(), "a/b");
  EXPECT_EQ(listed->front().rows, 7);
  EXPECT_EQ(listed->front().metadata["generation"], 4);
  EXPECT_TRUE(witness.WasTold(R"(list {"limit":10,"prefix":["a"]})"));

  auto schema = remote_->GetSchema(SomeCommand(), context_);
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  EXPECT_TRUE((*schema)->Equals(*NumbersSchema()));
}

}  // namespace
}  // namespace sheaf::flights
