// PLAN  a commit makes every target visible at once, with its record · conflicts leave one target
//       out · a fence that refuses leaves nothing · nothing is visible before · memory replaces
//       disk · several paths share data · an unnamed flight completes · generations never repeat
#include <algorithm>
#include <set>

#include "sheaf/ports/store/contract/contract.h"
#include "testkit/batches.h"

namespace sheaf::store::contract {
namespace {

TEST_P(StoreContract, CommitAnswersWithTheRecord) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    Provenance from;
    from.identity.raw = std::string(32, '\7');
    from.command = R"({"service":"sql"})";
    from.principal = "ada";
    from.inputs = {{"orders", P({"raw", "orders"}), 17}, {"a.b", P({"x"}), 1}};
    from.sources = {{"file:///a.parquet", "12-34"}, {"https://host/b", ""}};
    Sink sink = To(P({"reports", "q3"}), tier);
    sink.ttl_s = 60;
    auto writer = Writer(tier);
    Write(*writer, testkit::Numbers(0, 100));
    const uint64_t generation = writer->flight()->generation();
    const RecordPtr record = Commit(*writer, sink, from);
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->path, sink.path);
    EXPECT_EQ(record->generation, generation);
    EXPECT_EQ(record->created, clock().Wall());
    EXPECT_EQ(record->expires, WallTime{clock().Wall().micros + 60'000'000});
    EXPECT_EQ(record->rows, 100);
    EXPECT_GT(record->bytes, 1000);
    EXPECT_FALSE(record->pinned);
    EXPECT_EQ(record->from, from);
    const bool on_disk = tier == Tier::kDisk && GetParam().disk_survives_reopen;
    EXPECT_EQ(record->tier, on_disk ? Tier::kDisk : Tier::kMemory);
    EXPECT_EQ(record->durable, on_disk);
    EXPECT_EQ(store().Lookup(sink.path)->record, record);
    EXPECT_EQ(ReadPath(sink.path), Range(0, 100));
  }
}

TEST_P(StoreContract, NothingIsVisibleBeforeTheCommit) {
  auto writer = Writer(Tier::kDisk);
  Write(*writer, testkit::Numbers(0, 100));
  EXPECT_FALSE(store().Lookup(P({"raw", "t"})).has_value());
  EXPECT_TRUE(store().List(Path(), Path(), 10).empty());
  EXPECT_EQ(store().usage().flights, 0);
  EXPECT_EQ(store().usage().open_writers, 1);
  writer->Abort(Fail(Kind::kCancelled, "no"));
  writer.reset();
  EXPECT_FALSE(store().Lookup(P({"raw", "t"})).has_value());
  EXPECT_EQ(store().usage().open_writers, 0);
  EXPECT_EQ(store().usage().disk_used, 0_B);
  EXPECT_EQ(store().usage().memory_used, 0_B);
}

TEST_P(StoreContract, CommitReplacesAtomicallyAsANewGeneration) {
  const RecordPtr first = Keep(P({"raw", "t"}), 0, 10);
  const FlightPtr old = store().Lookup(P({"raw", "t"}))->flight;
  const RecordPtr second = Keep(P({"raw", "t"}), 100, 10);
  EXPECT_GT(second->generation, first->generation);
  EXPECT_EQ(ReadPath(P({"raw", "t"})), Range(100, 10));
  EXPECT_EQ(Read(*old), Range(0, 10));
  EXPECT_EQ(store().usage().flights, 1);
}

TEST_P(StoreContract, IfGenerationDecides) {
  Sink sink = To(P({"raw", "t"}));
  sink.if_generation = 0;
  const RecordPtr first = Keep(sink, 0, 10);
  ASSERT_NE(first, nullptr);
  const auto attempt = [&](uint64_t if_generation) {
    sink.if_generation = if_generation;
    auto writer = Writer(Tier::kDisk);
    Write(*writer, testkit::Numbers(100, 10));
    auto committed = CommitAll(*writer, {{sink, {}}});
    EXPECT_TRUE(committed.ok());
    return committed->front();
  };
  for (const uint64_t wrong : {uint64_t{0}, first->generation + 1}) {
    const auto refused = attempt(wrong);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, Kind::kConflict);
    EXPECT_EQ(refused.error().effect, Effect::kNone);
    EXPECT_EQ(ReadPath(sink.path), Range(0, 10));
  }
  EXPECT_TRUE(attempt(first->generation).ok());
  EXPECT_EQ(ReadPath(sink.path), Range(100, 10));
}

TEST_P(StoreContract, ConflictingTargetAloneIsLeftOut) {
  Keep(P({"raw", "b"}), 0, 5);
  auto writer = Writer(Tier::kDisk);
  Write(*writer, testkit::Numbers(100, 10));
  Sink conflicting = To(P({"raw", "b"}));
  conflicting.if_generation = 0;
  auto committed =
      CommitAll(*writer, {{To(P({"raw", "a"})), {}}, {conflicting, {}}, {To(P({"raw", "c"})), {}}});
  ASSERT_TRUE(committed.ok());
  ASSERT_EQ(committed->size(), 3u);
  EXPECT_TRUE((*committed)[0].ok());
  EXPECT_EQ((*committed)[1].error().kind, Kind::kConflict);
  EXPECT_TRUE((*committed)[2].ok());
  EXPECT_EQ(ReadPath(P({"raw", "a"})), Range(100, 10));
  EXPECT_EQ(ReadPath(P({"raw", "b"})), Range(0, 5));
  EXPECT_EQ(ReadPath(P({"raw", "c"})), Range(100, 10));
}

TEST_P(StoreContract, SeveralPathsShareDataAndTheHigherTierWins) {
  auto writer = Writer(Tier::kMemory);
  Write(*writer, testkit::Numbers(0, 10));
  auto committed = CommitAll(
      *writer, {{To(P({"a"}), Tier::kMemory), {}}, {To(P({"b"}), Tier::kDisk), {}}});
  ASSERT_TRUE(committed.ok());
  const RecordPtr a = *committed->at(0), b = *committed->at(1);
  EXPECT_EQ(a->generation, b->generation);
  EXPECT_EQ(a->tier, b->tier);
  EXPECT_EQ(a->durable, GetParam().disk_survives_reopen);
  writer.reset();
  ASSERT_TRUE(Try([&] { return store().Drop(P({"a"}), std::nullopt); }).ok());
  clock().Advance(std::chrono::minutes(2));
  store().Maintain();
  EXPECT_EQ(ReadPath(P({"b"})), Range(0, 10));
}

TEST_P(StoreContract, FenceThatRefusesLeavesNothing) {
  Keep(P({"raw", "t"}), 0, 5);
  auto writer = Writer(Tier::kDisk);
  const FlightPtr flight = writer->flight();
  Write(*writer, testkit::Numbers(100, 10));
  int asked = 0;
  const auto fence = [&]() -> Status {
    ++asked;
    return Fail(Kind::kCancelled, "the lease moved");
  };
  auto committed = Try([&] { return writer->Commit({{To(P({"raw", "t"})), {}}}, fence); });
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().message, "the lease moved");
  EXPECT_GE(asked, 1);
  EXPECT_EQ(flight->outcome().error().message, "the lease moved");
  EXPECT_FALSE(flight->complete());
  EXPECT_EQ(ReadPath(P({"raw", "t"})), Range(0, 5));
}

TEST_P(StoreContract, FenceThatAgreesIsAskedBeforeTheChangeIsVisible) {
  auto writer = Writer(Tier::kDisk);
  bool visible = true;
  auto committed = Try([&] {
    return writer->Commit({{To(P({"raw", "t"})), {}}}, [&] {
      visible = store().Lookup(P({"raw", "t"})).has_value();
      return Done();
    });
  });
  ASSERT_TRUE(committed.ok());
  EXPECT_FALSE(visible);
  EXPECT_TRUE(store().Lookup(P({"raw", "t"})).has_value());
}

TEST_P(StoreContract, CommitWithoutTargetsCompletesAnUnnamedFlight) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    auto writer = Writer(tier);
    const FlightPtr flight = writer->flight();
    Write(*writer, testkit::Numbers(0, 10));
    auto committed = CommitAll(*writer, {});
    ASSERT_TRUE(committed.ok());
    EXPECT_TRUE(committed->empty());
    writer.reset();
    EXPECT_TRUE(flight->complete());
    EXPECT_EQ(flight->size().rows, 10);
    EXPECT_EQ(Read(*flight), Range(0, 10));
    EXPECT_EQ(store().usage().flights, 0);
    const auto again = store().LookupGeneration(Path(), flight->generation());
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(Read(**again), Range(0, 10));
  }
}

TEST_P(StoreContract, UnnamedFlightGoesWithItsLastHandle) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    auto writer = Writer(tier);
    FlightPtr flight = writer->flight();
    const uint64_t generation = flight->generation();
    Write(*writer, testkit::Numbers(0, 1000));
    ASSERT_TRUE(CommitAll(*writer, {}).ok());
    writer.reset();
    EXPECT_GT(store().usage().memory_used + store().usage().disk_used, 0_B);
    flight.reset();
    EXPECT_EQ(store().usage().memory_used + store().usage().disk_used, 0_B);
    const auto gone = store().LookupGeneration(Path(), generation);
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().kind, Kind::kResultGone);
  }
}

TEST_P(StoreContract, EmptyFlightIsAFlight) {
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    const RecordPtr record = Keep(P({"raw", "empty"}), 0, 0, tier);
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->rows, 0);
    EXPECT_EQ(record->bytes, 0);
    EXPECT_EQ(ReadPath(P({"raw", "empty"})), Range(0, 0));
    EXPECT_TRUE(store().Lookup(P({"raw", "empty"}))->flight->schema()->Equals(
        *testkit::NumbersSchema()));
  }
}

TEST_P(StoreContract, ObjectTierIsUnsupportedHere) {
  WriterOptions options;
  options.schema = testkit::NumbersSchema();
  options.tier = Tier::kObject;
  const auto opened = Try([&] { return store().OpenWriter(options); });
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, Kind::kUnsupported);
}

TEST_P(StoreContract, GenerationsGrowAndNeverRepeat) {
  uint64_t last = 0;
  for (int life = 0; life < 3; ++life) {
    for (int i = 0; i < 5; ++i) {
      clock().Advance(std::chrono::milliseconds(1));
      const uint64_t generation = Writer(Tier::kMemory)->flight()->generation();
      EXPECT_GT(generation, last);
      last = generation;
    }
    const RecordPtr kept = Keep(P({"raw", "t"}), 0, 1);
    EXPECT_GT(kept->generation, last);
    last = kept->generation;
    ASSERT_TRUE(Try([&] { return store().Drop(P({"raw", "t"}), std::nullopt); }).ok());
    world_->Reopen();
  }
}

TEST_P(StoreContract, DiskFlightsAreThereAfterReopen) {
  const RecordPtr before = Keep(P({"raw", "t"}), 0, 5000);
  Sink sink = To(P({"raw", "u"}));
  sink.ttl_s = 3600;
  Keep(sink, 5, 5);
  Keep(P({"raw", "m"}), 0, 10, Tier::kMemory);
  auto open = Writer(Tier::kDisk);
  Write(*open, testkit::Numbers(0, 10'000));
  open.reset();
  ASSERT_TRUE(Try([&] { return store().Pin(P({"raw", "t"}), std::nullopt, true); }).ok());
  world_->Reopen();
  const auto found = store().Lookup(P({"raw", "t"}));
  EXPECT_EQ(found.has_value(), GetParam().disk_survives_reopen);
  EXPECT_FALSE(store().Lookup(P({"raw", "m"})).has_value());
  if (!found.has_value()) return;
  EXPECT_EQ(found->record->generation, before->generation);
  EXPECT_EQ(found->record->created, before->created);
  EXPECT_EQ(found->record->rows, before->rows);
  EXPECT_EQ(found->record->bytes, before->bytes);
  EXPECT_EQ(found->record->from, before->from);
  EXPECT_TRUE(found->record->pinned);
  EXPECT_TRUE(found->record->durable);
  EXPECT_TRUE(found->flight->complete());
  EXPECT_TRUE(found->flight->schema()->Equals(*testkit::NumbersSchema()));
  EXPECT_EQ(Read(*found->flight), Range(0, 5000));
  EXPECT_EQ(store().Lookup(P({"raw", "u"}))->record->expires,
            WallTime{clock().Wall().micros + 3'600'000'000});
}

TEST_P(StoreContract, MemoryThatReplacesDiskRemovesItForGood) {
  Keep(P({"raw", "t"}), 0, 10, Tier::kDisk);
  const RecordPtr memory = Keep(P({"raw", "t"}), 100, 10, Tier::kMemory);
  EXPECT_FALSE(memory->durable);
  EXPECT_EQ(ReadPath(P({"raw", "t"})), Range(100, 10));
  world_->Reopen();
  EXPECT_FALSE(store().Lookup(P({"raw", "t"})).has_value());
}

TEST_P(StoreContract, SharedDataSurvivesOneOfItsPaths) {
  auto writer = Writer(Tier::kDisk);
  Write(*writer, testkit::Numbers(0, 10));
  ASSERT_TRUE(CommitAll(*writer, {{To(P({"a"})), {}}, {To(P({"b"})), {}}}).ok());
  writer.reset();
  Keep(P({"a"}), 100, 10);
  world_->Reopen();
  if (!GetParam().disk_survives_reopen) return;
  EXPECT_EQ(ReadPath(P({"a"})), Range(100, 10));
  EXPECT_EQ(ReadPath(P({"b"})), Range(0, 10));
}

}  // namespace
}  // namespace sheaf::store::contract
