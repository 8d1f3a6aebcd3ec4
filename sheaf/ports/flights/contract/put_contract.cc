// PLAN  put, then get gives every type · no rows keep their schema · a replaced path changes at
//       once and open readers keep what they had · a failing reader leaves nothing, or what was
//       there · if_generation guards · a second writer conflicts · a missing path is not found ·
//       a pinned generation · columns · list in order · drop and GetFlight of one generation ·
//       how long Touch may keep

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "sheaf/ports/flights/contract/every_type.h"
#include "sheaf/ports/flights/contract/flights_contract.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights::contract {
namespace {

// Gives one batch, then waits for `go`, then ends as it is told.
std::shared_ptr<arrow::RecordBatchReader> Held(Event& begun, Event& go,
                                               arrow::Status end = arrow::Status::OK()) {
  auto calls = std::make_shared<int>(0);
  return *arrow::RecordBatchReader::MakeFromIterator(
      arrow::MakeFunctionIterator([&begun, &go, calls, end]() -> arrow::Result<Batch> {
        if (++*calls == 1) return ScriptedRows(0, 5);
        begun.Set();
        go.Wait();
        if (!end.ok()) return end;
        return Batch();
      }),
      ScriptedSchema());
}

TEST_P(FlightsContract, PutThenGetGivesEveryType) {
  for (const auto& [name, batch] : EveryType()) {
    SCOPED_TRACE(name);
    auto reader = *arrow::RecordBatchReader::Make({batch, batch});
    auto receipt = flights().Put(SinkAt("typed"), *reader, {});
    ASSERT_TRUE(receipt.ok()) << receipt.error().message;
    EXPECT_EQ(receipt->rows, 2 * batch->num_rows());
    auto table = ReadPath("typed");
    ASSERT_TRUE(table.ok()) << table.error().message;
    const auto expected = *arrow::Table::FromRecordBatches({batch, batch});
    EXPECT_TRUE((*table)->schema()->Equals(*expected->schema(), /*check_metadata=*/true))
        << (*table)->schema()->ToString(true);
    EXPECT_TRUE((*table)->Equals(*expected)) << (*table)->ToString();
  }
}

TEST_P(FlightsContract, FlightOfNoRowsKeepsItsSchema) {
  auto reader = *arrow::RecordBatchReader::Make({}, ScriptedSchema());
  auto receipt = flights().Put(SinkAt("empty"), *reader, {});
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  EXPECT_EQ(receipt->rows, 0);
  auto table = ReadPath("empty");
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_TRUE((*table)->schema()->Equals(*ScriptedSchema()));
  EXPECT_EQ((*table)->num_rows(), 0);
}

TEST_P(FlightsContract, GetOfMissingPathIsNotFound) {
  EXPECT_EQ(ReadPath("nothing").error().kind, Kind::kNotFound);
  const What what = command::PathRef{At("nothing"), {}};
  EXPECT_EQ(flights().GetSchema(what, {}).error().kind, Kind::kNotFound);
}

TEST_P(FlightsContract, ReplacedPathChangesAtOnceAndOpenReadersKeepWhatTheyHad) {
  const auto first = PutRows(SinkAt("t"), 1000);
  ASSERT_TRUE(first.ok()) << first.error().message;
  auto open = Get(command::PathRef{At("t"), {}});
  ASSERT_TRUE(open.ok()) << open.error().message;
  Batch batch;
  ASSERT_TRUE(open->reader->ReadNext(&batch).ok());
  const auto second = PutRows(SinkAt("t"), 3);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_GT(second->generation, first->generation);
  EXPECT_EQ((*ReadPath("t"))->num_rows(), 3);
  EXPECT_EQ(batch->num_rows() + Rows(std::move(open)).value(), 1000);
}

TEST_P(FlightsContract, FailingReaderLeavesNothing) {
  Event begun;
  Event go;
  go.Set();
  const auto torn = columnar::ToArrow(Fail(Kind::kCorrupt, "page 7 is torn"));
  auto receipt = flights().Put(SinkAt("t"), *Held(begun, go, torn), {});
  ASSERT_FALSE(receipt.ok());
  EXPECT_EQ(receipt.error().kind, Kind::kCorrupt);
  EXPECT_EQ(receipt.error().message, "page 7 is torn");
  EXPECT_EQ(ReadPath("t").error().kind, Kind::kNotFound);

  ASSERT_TRUE(PutRows(SinkAt("t"), 3).ok());
  ASSERT_FALSE(flights().Put(SinkAt("t"), *Held(begun, go, torn), {}).ok());
  EXPECT_EQ((*ReadPath("t"))->num_rows(), 3);
}

TEST_P(FlightsContract, PutIsGuardedByGeneration) {
  Sink sink = SinkAt("t");
  sink.if_generation = 0;
  const auto first = PutRows(sink, 1);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(PutRows(sink, 2).error().kind, Kind::kConflict);
  sink.if_generation = first->generation;
  ASSERT_TRUE(PutRows(sink, 3).ok());
  EXPECT_EQ(PutRows(sink, 4).error().kind, Kind::kConflict);
  EXPECT_EQ((*ReadPath("t"))->num_rows(), 3);
}

// A remote writer may still be on its way when its reader has given the first batch: then the
// two come in any order, and a round says nothing.
TEST_P(FlightsContract, SecondWriterOfAPathConflicts) {
  Executor executor({.name = "put", .threads_max = 1});
  bool conflicted = false;
  for (int round = 0; round < 50 && !conflicted; ++round) {
    Event begun;
    Event go;
    Event over;
    Result<PutReceipt> first = Fail(Kind::kInternal, "not done");
    ASSERT_TRUE(executor.TryPost([&] {
      first = flights().Put(SinkAt("t"), *Held(begun, go), {});
      over.Set();
    }));
    begun.Wait();
    const Result<PutReceipt> second = PutRows(SinkAt("t"), 7);
    go.Set();
    over.Wait();
    conflicted = !second.ok();
    if (!first.ok()) {
      EXPECT_EQ(first.error().kind, Kind::kConflict) << first.error().message;
    }
    if (!second.ok()) {
      EXPECT_EQ(second.error().kind, Kind::kConflict) << second.error().message;
      EXPECT_EQ((*ReadPath("t"))->num_rows(), 5);
    }
    EXPECT_TRUE(first.ok() || second.ok());
  }
  EXPECT_TRUE(conflicted);
}

TEST_P(FlightsContract, CancelledPutLeavesNothing) {
  CancelSource source;
  int calls = 0;
  auto reader = *arrow::RecordBatchReader::MakeFromIterator(
      arrow::MakeFunctionIterator([&]() -> arrow::Result<Batch> {
        if (++calls == 3) source.Cancel(Fail(Kind::kCancelled, "enough"));
        if (calls > 100) return Batch();
        return ScriptedRows(calls, 1);
      }),
      ScriptedSchema());
  auto receipt = flights().Put(SinkAt("t"), *reader, {.cancel = source.token()});
  ASSERT_FALSE(receipt.ok());
  EXPECT_EQ(receipt.error().kind, Kind::kCancelled);
  EXPECT_LT(calls, 100);
  EXPECT_EQ(ReadPath("t").error().kind, Kind::kNotFound);
}

TEST_P(FlightsContract, GenerationOfAPathCanBePinned) {
  const auto receipt = PutRows(SinkAt("t"), 5);
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  EXPECT_EQ(Rows(Get(command::PathRef{At("t"), receipt->generation})).value(), 5);
  EXPECT_FALSE(Read(Get(command::PathRef{At("t"), receipt->generation + 1'000'000})).ok());
}

TEST_P(FlightsContract, ColumnsComeInTheOrderAskedFor) {
  const auto ints = ScriptedRows(0, 3)->column(0);
  const auto schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64()),
                     arrow::field("c", arrow::int64())});
  auto reader =
      *arrow::RecordBatchReader::Make({arrow::RecordBatch::Make(schema, 3, {ints, ints, ints})});
  ASSERT_TRUE(flights().Put(SinkAt("wide"), *reader, {}).ok());
  const What what = command::PathRef{At("wide"), {}};
  auto stream = flights().Get({.what = what, .columns = {"c", "a"}}, {});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(stream->reader->schema()->field_names(), (std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(Rows(std::move(stream)).value(), 3);
  EXPECT_EQ(flights().Get({.what = what, .columns = {"d"}}, {}).error().kind, Kind::kInvalid);
}

TEST_P(FlightsContract, ListIsInPathOrder) {
  for (const char* name : {"b", "a", "c"}) ASSERT_TRUE(PutRows(SinkAt(name), 2).ok());
  const Path space = Path::Make({"test"}).value();
  auto listed = flights().List(space, Path(), 2, {});
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ((*listed)[0].path, At("a"));
  EXPECT_EQ((*listed)[1].path, At("b"));
  EXPECT_EQ((*listed)[0].rows, 2);
  EXPECT_TRUE((*listed)[0].schema->Equals(*ScriptedSchema()));
  EXPECT_TRUE((*listed)[0].metadata.contains("generation"));
  listed = flights().List(space, At("b"), 10, {});
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ((*listed)[0].path, At("c"));
  EXPECT_TRUE(flights().List(Path::Make({"other"}).value(), Path(), 10, {})->empty());
}

TEST_P(FlightsContract, DropRemovesThatGenerationOnly) {
  const auto receipt = PutRows(SinkAt("t"), 2);
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  Json body{{"path", At("t").ToJson()}, {"generation", receipt->generation + 1}};
  EXPECT_EQ(flights().Do("DropFlight", body, {}).error().kind, Kind::kConflict);
  EXPECT_TRUE(ReadPath("t").ok());
  body["generation"] = receipt->generation;
  const auto dropped = flights().Do("DropFlight", body, {});
  EXPECT_TRUE(dropped.ok()) << dropped.error().message;
  EXPECT_EQ(ReadPath("t").error().kind, Kind::kNotFound);
}

TEST_P(FlightsContract, GetFlightTellsOfThatGenerationOnly) {
  const auto receipt = PutRows(SinkAt("t"), 2);
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  Json body{{"path", At("t").ToJson()}, {"generation", receipt->generation + 1}};
  const auto other = flights().Do("GetFlight", body, {});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().kind, Kind::kConflict) << other.error().message;
  body["generation"] = receipt->generation;
  const auto same = flights().Do("GetFlight", body, {});
  ASSERT_TRUE(same.ok()) << same.error().message;
  EXPECT_EQ(same->front()["generation"], receipt->generation);
}

TEST_P(FlightsContract, TouchTakesTheTimesThatASinkTakes) {
  ASSERT_TRUE(PutRows(SinkAt("t"), 2).ok());
  Json body{{"path", At("t").ToJson()}, {"ttl_s", command::kSecondsMax + 1}};
  const auto beyond = flights().Do("TouchFlight", body, {});
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().kind, Kind::kInvalid);
  EXPECT_THAT(beyond.error().message, ::testing::HasSubstr("3153600000"));
  body["ttl_s"] = command::kSecondsMax;
  const auto longest = flights().Do("TouchFlight", body, {});
  ASSERT_TRUE(longest.ok()) << longest.error().message;
  EXPECT_GT((*longest)[0]["expires"].get<std::string>(), "2070");
}

}  // namespace
}  // namespace sheaf::flights::contract
