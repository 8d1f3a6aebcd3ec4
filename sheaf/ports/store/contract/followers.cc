// PLAN  followers read from batch 0 while it is written · never block · are woken once · see the
//       end only after the commit · get the writer's error after what came before it · small
//       batches are gathered · large ones are cut · partitions are independent · a cancelled wait
//       gives its reason · WhenReadable and WhenEnded call once
#include <gmock/gmock.h>

#include <arrow/record_batch.h>

#include "sheaf/ports/store/contract/contract.h"
#include "sheaf/wire/columnar/columnar.h"
#include "testkit/batches.h"

namespace sheaf::store::contract {
namespace {

using What = FlightReader::Step::What;
constexpr int64_t kLargeText = 2000;  // 1,000 rows of it pass the gatherer untouched.

TEST_P(StoreContract, FollowerReadsWhatWriteReturnedFrom) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    auto writer = Writer(tier);
    auto reader = writer->flight()->OpenReader(0).value();
    for (int64_t first = 0; first < 3000; first += 1000) {
      Write(*writer, testkit::Numbers(first, 1000, kLargeText));
      auto step = reader->Next([] {}).value();
      ASSERT_EQ(step.what, What::kBatch);
      EXPECT_EQ(testkit::NumbersOf({step.batch}), Range(first, 1000));
      EXPECT_EQ(reader->Next([] {}).value().what, What::kPending);
    }
    writer->Abort(Fail(Kind::kCancelled, "enough"));
  }
}

TEST_P(StoreContract, PendingFollowerIsWokenOnceByTheNextBatch) {
  auto writer = Writer(Tier::kMemory);
  auto reader = writer->flight()->OpenReader(0).value();
  int woken = 0;
  ASSERT_EQ(reader->Next([&] { ++woken; }).value().what, What::kPending);
  EXPECT_EQ(woken, 0);
  Write(*writer, testkit::Numbers(0, 1000, kLargeText));
  EXPECT_EQ(woken, 1);
  Write(*writer, testkit::Numbers(1000, 1000, kLargeText));
  EXPECT_EQ(woken, 1);
  ASSERT_EQ(reader->Next([&] { ++woken; }).value().what, What::kBatch);
  ASSERT_EQ(reader->Next([&] { ++woken; }).value().what, What::kBatch);
  EXPECT_EQ(woken, 1);
}

TEST_P(StoreContract, AskingAgainReplacesTheWake) {
  auto writer = Writer(Tier::kMemory);
  auto reader = writer->flight()->OpenReader(0).value();
  int first = 0, second = 0;
  ASSERT_EQ(reader->Next([&] { ++first; }).value().what, What::kPending);
  ASSERT_EQ(reader->Next([&] { ++second; }).value().what, What::kPending);
  Write(*writer, testkit::Numbers(0, 1000, kLargeText));
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
}

TEST_P(StoreContract, DeadReaderIsNotWoken) {
  auto writer = Writer(Tier::kMemory);
  auto reader = writer->flight()->OpenReader(0).value();
  int woken = 0;
  ASSERT_EQ(reader->Next([&] { ++woken; }).value().what, What::kPending);
  reader.reset();
  Write(*writer, testkit::Numbers(0, 1000, kLargeText));
  EXPECT_EQ(woken, 0);
}

TEST_P(StoreContract, EndComesAfterTheCommitAndNotBefore) {
  auto writer = Writer(Tier::kDisk);
  auto reader = writer->flight()->OpenReader(0).value();
  Write(*writer, testkit::Numbers(0, 1000, kLargeText));
  ASSERT_EQ(reader->Next([] {}).value().what, What::kBatch);
  bool visible_when_woken = false;
  const Path path = P({"raw", "t"});
  ASSERT_EQ(reader->Next([&] { visible_when_woken = store().Lookup(path).has_value(); })
                .value().what,
            What::kPending);
  EXPECT_FALSE(writer->flight()->complete());
  Commit(*writer, To(path));
  EXPECT_TRUE(visible_when_woken);
  EXPECT_TRUE(writer->flight()->complete());
  EXPECT_EQ(reader->Next([] {}).value().what, What::kEnd);
  EXPECT_EQ(reader->Next([] {}).value().what, What::kEnd);
}

TEST_P(StoreContract, AbortReachesFollowersAfterWhatCameBefore) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    auto writer = Writer(tier);
    const FlightPtr flight = writer->flight();
    auto reader = flight->OpenReader(0).value();
    Write(*writer, testkit::Numbers(0, 1000, kLargeText));
    writer->Abort(Fail(Kind::kFailed, "division by zero"));
    EXPECT_EQ(reader->Next([] {}).value().what, What::kBatch);
    const auto end = reader->Next([] {});
    ASSERT_FALSE(end.ok());
    EXPECT_EQ(end.error().kind, Kind::kFailed);
    EXPECT_EQ(end.error().message, "division by zero");
    EXPECT_FALSE(flight->complete());
    EXPECT_EQ(flight->outcome().error().kind, Kind::kFailed);
    writer.reset();
    EXPECT_EQ(ReadError(*flight).kind, Kind::kFailed);  // Who comes late, while it is held.
  }
}

TEST_P(StoreContract, WriterThatDiesIsAnAbort) {
  auto writer = Writer(Tier::kDisk);
  const FlightPtr flight = writer->flight();
  Write(*writer, testkit::Numbers(0, 10));
  writer.reset();
  EXPECT_EQ(flight->outcome().error().kind, Kind::kCancelled);
  EXPECT_EQ(store().usage().open_writers, 0);
}

TEST_P(StoreContract, SmallBatchesAreGatheredAndFlushHandsThemOver) {
  auto writer = Writer(Tier::kMemory);
  auto reader = writer->flight()->OpenReader(0).value();
  for (int64_t first = 0; first < 50; ++first) Write(*writer, testkit::Numbers(first, 1));
  EXPECT_EQ(reader->Next([] {}).value().what, What::kPending);
  ASSERT_TRUE(writer->Flush().ok());
  const auto step = reader->Next([] {}).value();
  ASSERT_EQ(step.what, What::kBatch);
  EXPECT_EQ(testkit::NumbersOf({step.batch}), Range(0, 50));
}

TEST_P(StoreContract, HeldBatchesAreHandedOverAfterTwentyMilliseconds) {
  auto writer = Writer(Tier::kMemory);
  auto reader = writer->flight()->OpenReader(0).value();
  Write(*writer, testkit::Numbers(0, 1));
  clock().Advance(std::chrono::milliseconds(19));
  Write(*writer, testkit::Numbers(1, 1));
  EXPECT_EQ(reader->Next([] {}).value().what, What::kPending);
  clock().Advance(std::chrono::milliseconds(1));
  Write(*writer, testkit::Numbers(2, 1));
  const auto step = reader->Next([] {}).value();
  ASSERT_EQ(step.what, What::kBatch);
  EXPECT_EQ(testkit::NumbersOf({step.batch}), Range(0, 3));
}

TEST_P(StoreContract, LargeBatchesAreCutToTheMessageLimit) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    auto writer = Writer(tier);
    Write(*writer, testkit::Numbers(0, 20'000, 1000));
    Commit(*writer, To(P({"raw", "cut"}), tier));
    auto reader = store().Lookup(P({"raw", "cut"}))->flight->OpenReader(0).value();
    std::vector<Batch> batches;
    while (true) {
      const Batch batch = reader->Wait(CancelToken()).value();
      if (batch == nullptr) break;
      EXPECT_LE(columnar::TrueBytes(*batch).count, columnar::kMessageBytesMax);
      batches.push_back(batch);
    }
    EXPECT_GE(batches.size(), 5u);
    EXPECT_EQ(testkit::NumbersOf(batches), Range(0, 20'000));
  }
}

TEST_P(StoreContract, LargeBatchPassesUntouched) {
  auto writer = Writer(Tier::kMemory);
  const Batch batch = testkit::Numbers(0, 1000, kLargeText);
  Write(*writer, batch);
  EXPECT_EQ(writer->flight()->OpenReader(0).value()->Next([] {}).value().batch.get(), batch.get());
}

TEST_P(StoreContract, PartitionsAreReadApart) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    auto writer = Writer(tier, 3);
    for (uint32_t i = 0; i < 3; ++i) Write(*writer, testkit::Numbers(i * 100, 10 + i), i);
    const RecordPtr record = Commit(*writer, To(P({"raw", "parts"}), tier));
    EXPECT_EQ(record->partitions, 3u);
    EXPECT_EQ(record->rows, 33);
    const FlightPtr flight = store().Lookup(P({"raw", "parts"}))->flight;
    ASSERT_EQ(flight->partitions(), 3u);
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(Read(*flight, i), Range(i * 100, 10 + i));
      EXPECT_EQ(flight->size(i).rows, 10 + i);
    }
    EXPECT_EQ(flight->size().rows, 33);
    EXPECT_EQ(flight->size().bytes, record->bytes);
  }
}

TEST_P(StoreContract, CancelledWaitGivesItsReason) {
  auto writer = Writer(Tier::kMemory);
  auto reader = writer->flight()->OpenReader(0).value();
  CancelSource source;
  std::thread canceller([&] { source.Cancel(Fail(Kind::kDeadline, "too late")); });
  const auto waited = reader->Wait(source.token());
  canceller.join();
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().kind, Kind::kDeadline);
}

TEST_P(StoreContract, WhenReadableCallsOnceAtTheFirstBatch) {
  auto writer = Writer(Tier::kDisk, 2);
  int calls = 0;
  writer->flight()->WhenReadable([&] { ++calls; });
  Write(*writer, testkit::Numbers(0, 1), 1);
  EXPECT_EQ(calls, 0);  // Still held back.
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_EQ(calls, 1);
  writer->flight()->WhenReadable([&] { ++calls; });
  EXPECT_EQ(calls, 2);  // At once: it is readable.
  Write(*writer, testkit::Numbers(1, 1000, kLargeText), 0);
  ASSERT_TRUE(CommitAll(*writer, {}).ok());
  EXPECT_EQ(calls, 2);
}

TEST_P(StoreContract, WhenReadableAndWhenEndedCallAtTheEndOfAnEmptyFlight) {
  auto writer = Writer(Tier::kMemory);
  int readable = 0, ended = 0;
  writer->flight()->WhenReadable([&] { ++readable; });
  writer->flight()->WhenEnded([&] { ++ended; });
  EXPECT_EQ(readable + ended, 0);
  ASSERT_TRUE(CommitAll(*writer, {}).ok());
  EXPECT_EQ(readable, 1);
  EXPECT_EQ(ended, 1);
  writer->flight()->WhenEnded([&] { ++ended; });
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(Read(*writer->flight()), Range(0, 0));
}

TEST_P(StoreContract, BatchOfAnotherSchemaIsInternal) {
  auto writer = Writer(Tier::kMemory);
  const Status written =
      Try([&] { return writer->Write(0, testkit::Tags(0, 10, {"a", "b"})); });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, Kind::kInternal);
}

TEST_P(StoreContract, DictionariesMayChangeBetweenBatches) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    WriterOptions options;
    options.schema = testkit::TagsSchema();
    options.tier = tier;
    auto writer = Writer(options);
    std::vector<Batch> written;
    written.push_back(testkit::Tags(0, 1000, {"red", "green"}));
    written.push_back(testkit::Tags(1000, 1000, {"red", "green", "blue"}));
    written.push_back(testkit::Tags(2000, 1000, {"black"}));
    written.push_back(testkit::Tags(3000, 1000, {"red", "green"}));
    for (const Batch& batch : written) {
      Write(*writer, batch);
      ASSERT_TRUE(writer->Flush().ok());
    }
    Commit(*writer, To(P({"raw", "tags"}), tier));
    auto reader = store().Lookup(P({"raw", "tags"}))->flight->OpenReader(0).value();
    for (const Batch& batch : written) {
      const Batch read = reader->Wait(CancelToken()).value();
      ASSERT_NE(read, nullptr);
      EXPECT_TRUE(read->Equals(*batch)) << read->ToString();
    }
    EXPECT_EQ(reader->Wait(CancelToken()).value(), nullptr);
  }
}

}  // namespace
}  // namespace sheaf::store::contract
