// PLAN  lookup and listing in path order, by prefix, after a path, with a limit · drop · pin ·
//       touch · expiry · tickets of replaced generations · the listener hears every change in order
#include "sheaf/ports/store/contract/contract.h"
#include "testkit/batches.h"

namespace sheaf::store::contract {
namespace {

std::vector<std::string> Names(const std::vector<Found>& found) {
  std::vector<std::string> names;
  for (const Found& each : found) names.push_back(each.record->path.Text());
  return names;
}

using Texts = std::vector<std::string>;

TEST_P(StoreContract, LookupOfWhatIsNotThereIsEmpty) {
  Keep(P({"raw", "t"}), 0, 1);
  EXPECT_FALSE(store().Lookup(P({"raw"})).has_value());
  EXPECT_FALSE(store().Lookup(P({"raw", "t", "u"})).has_value());
  EXPECT_FALSE(store().Lookup(P({"raw", "T"})).has_value());
}

TEST_P(StoreContract, ListIsInPathOrderByPrefixAfterAndLimit) {
  for (const auto& parts : std::vector<std::vector<std::string>>{
           {"b"}, {"a", "z"}, {"a", "b", "c"}, {"a"}, {"a", "b"}, {"a\x01", "x"}, {"ab"}}) {
    Keep(P(parts), 0, 1, Tier::kMemory);
  }
  const Texts all = {"a", "a/b", "a/b/c", "a/z", "a\x01/x", "ab", "b"};
  EXPECT_EQ(Names(store().List(Path(), Path(), 100)), all);
  EXPECT_EQ(Names(store().List(P({"a"}), Path(), 100)), (Texts{"a", "a/b", "a/b/c", "a/z"}));
  EXPECT_EQ(Names(store().List(P({"a", "b"}), Path(), 100)), (Texts{"a/b", "a/b/c"}));
  EXPECT_EQ(Names(store().List(Path(), P({"a", "b"}), 2)), (Texts{"a/b/c", "a/z"}));
  EXPECT_EQ(Names(store().List(P({"a"}), P({"a", "b"}), 100)), (Texts{"a/b/c", "a/z"}));
  EXPECT_EQ(Names(store().List(P({"a"}), P({"a", "q"}), 100)), (Texts{"a/z"}));
  EXPECT_EQ(Names(store().List(P({"a"}), P({"b"}), 100)), Texts{});
  EXPECT_EQ(Names(store().List(P({"b"}), P({"a"}), 100)), Texts{"b"});
  EXPECT_EQ(Names(store().List(P({"nowhere"}), Path(), 100)), Texts{});
  EXPECT_EQ(Names(store().List(Path(), Path(), 0)), Texts{});
  Texts paged;
  for (Path after;;) {
    const auto page = store().List(Path(), after, 2);
    if (page.empty()) break;
    for (const std::string& name : Names(page)) paged.push_back(name);
    after = page.back().record->path;
  }
  EXPECT_EQ(paged, all);
}

TEST_P(StoreContract, DropRemovesNowAndForGood) {
  const RecordPtr kept = Keep(P({"raw", "t"}), 0, 10);
  const auto drop = [&](std::optional<uint64_t> generation) {
    return Try([&] { return store().Drop(P({"raw", "t"}), generation); });
  };
  const Status moved = drop(kept->generation + 1);
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().kind, Kind::kConflict);
  EXPECT_EQ(ReadPath(P({"raw", "t"})), Range(0, 10));
  EXPECT_TRUE(drop(kept->generation).ok());
  EXPECT_FALSE(store().Lookup(P({"raw", "t"})).has_value());
  EXPECT_EQ(drop(std::nullopt).error().kind, Kind::kNotFound);
  world_->Reopen();
  EXPECT_FALSE(store().Lookup(P({"raw", "t"})).has_value());
}

TEST_P(StoreContract, PinIsSeenAndCarriedToTheNextGeneration) {
  const RecordPtr kept = Keep(P({"raw", "t"}), 0, 10);
  const auto pin = [&](std::optional<uint64_t> generation, bool pinned) {
    return Try([&] { return store().Pin(P({"raw", "t"}), generation, pinned); });
  };
  EXPECT_EQ(pin(kept->generation + 1, true).error().kind, Kind::kConflict);
  EXPECT_TRUE((*pin(kept->generation, true))->pinned);
  EXPECT_TRUE(store().Lookup(P({"raw", "t"}))->record->pinned);
  EXPECT_TRUE(Keep(P({"raw", "t"}), 10, 10)->pinned);
  EXPECT_FALSE((*pin(std::nullopt, false))->pinned);
  EXPECT_FALSE(store().Lookup(P({"raw", "t"}))->record->pinned);
  EXPECT_EQ(Try([&] { return store().Pin(P({"x"}), std::nullopt, true); }).error().kind,
            Kind::kNotFound);
}

TEST_P(StoreContract, ExpiredPathIsNotFoundEvenBeforeMaintain) {
  Sink sink = To(P({"raw", "t"}));
  sink.ttl_s = 10;
  const RecordPtr kept = Keep(sink, 0, 10);
  clock().Advance(std::chrono::milliseconds(9999));
  EXPECT_TRUE(store().Lookup(sink.path).has_value());
  const FlightPtr open = store().Lookup(sink.path)->flight;
  clock().Advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(store().Lookup(sink.path).has_value());
  EXPECT_TRUE(store().List(Path(), Path(), 10).empty());
  EXPECT_EQ(store().LookupGeneration(sink.path, kept->generation).error().kind, Kind::kResultGone);
  EXPECT_EQ(Try([&] { return store().Drop(sink.path, std::nullopt); }).error().kind,
            Kind::kNotFound);
  EXPECT_EQ(Try([&] { return store().Touch(sink.path, std::nullopt, 10); }).error().kind,
            Kind::kNotFound);
  EXPECT_EQ(Read(*open), Range(0, 10));  // An open flight stays.
  sink.if_generation = 0;
  EXPECT_NE(Keep(sink, 20, 10), nullptr);  // And its path is free.
}

TEST_P(StoreContract, PinnedPathOutlivesItsTimeAndGoesWhenUnpinned) {
  Sink sink = To(P({"raw", "t"}));
  sink.ttl_s = 10;
  const RecordPtr kept = Keep(sink, 0, 10);
  ASSERT_TRUE(Try([&] { return store().Pin(sink.path, std::nullopt, true); }).ok());
  clock().Advance(std::chrono::seconds(11));
  store().Maintain();
  ASSERT_TRUE(store().Lookup(sink.path).has_value());
  EXPECT_EQ(store().Lookup(sink.path)->record->expires, kept->expires);
  EXPECT_EQ(ReadPath(sink.path), Range(0, 10));
  EXPECT_EQ(store().List(Path(), Path(), 10).size(), 1);
  EXPECT_TRUE(store().LookupGeneration(sink.path, kept->generation).ok());
  ASSERT_TRUE(Try([&] { return store().Pin(sink.path, std::nullopt, false); }).ok());
  EXPECT_FALSE(store().Lookup(sink.path).has_value());
  store().Maintain();
  EXPECT_EQ(store().usage().flights, 0);
}

TEST_P(StoreContract, MaintainRemovesWhatExpiredForGood) {
  Sink sink = To(P({"raw", "t"}));
  sink.ttl_s = 10;
  Keep(sink, 0, 1000);
  Keep(P({"raw", "u"}), 0, 1);
  EXPECT_EQ(store().usage().flights, 2);
  const Bytes before = store().usage().disk_used + store().usage().memory_used;
  clock().Advance(std::chrono::seconds(10));
  store().Maintain();
  EXPECT_EQ(store().usage().flights, 1);
  EXPECT_LT(store().usage().disk_used + store().usage().memory_used, before);
  world_->Reopen();
  EXPECT_FALSE(store().Lookup(sink.path).has_value());
}

TEST_P(StoreContract, TouchSetsTheTimeToLiveAnew) {
  Sink sink = To(P({"raw", "t"}));
  sink.ttl_s = 10;
  const RecordPtr kept = Keep(sink, 0, 10);
  clock().Advance(std::chrono::seconds(8));
  const auto touch = [&](std::optional<int64_t> ttl_s) {
    return Try([&] { return store().Touch(sink.path, kept->generation, ttl_s); });
  };
  EXPECT_EQ((*touch(5))->expires, WallTime{clock().Wall().micros + 5'000'000});
  clock().Advance(std::chrono::seconds(4));
  EXPECT_TRUE(store().Lookup(sink.path).has_value());
  EXPECT_EQ((*touch(std::nullopt))->expires, std::nullopt);
  clock().Advance(std::chrono::hours(10'000));
  store().Maintain();
  EXPECT_EQ(ReadPath(sink.path), Range(0, 10));
}

TEST_P(StoreContract, ReplacedGenerationServesItsTicketsForAMinute) {
  const RecordPtr old = Keep(P({"raw", "t"}), 0, 10);
  const RecordPtr now = Keep(P({"raw", "t"}), 100, 10);
  clock().Advance(std::chrono::milliseconds(59'999));
  store().Maintain();
  {
    const auto found = store().LookupGeneration(P({"raw", "t"}), old->generation);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(Read(**found), Range(0, 10));
  }
  EXPECT_EQ(store().LookupGeneration(P({"raw", "u"}), old->generation).error().kind,
            Kind::kResultGone);
  clock().Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(store().LookupGeneration(P({"raw", "t"}), old->generation).error().kind,
            Kind::kResultGone);
  const auto current = store().LookupGeneration(P({"raw", "t"}), now->generation);
  ASSERT_TRUE(current.ok());
  EXPECT_EQ(Read(**current), Range(100, 10));
  EXPECT_EQ(store().LookupGeneration(P({"raw", "t"}), now->generation + 5).error().kind,
            Kind::kResultGone);
}

TEST_P(StoreContract, ReplacedGenerationStaysForOpenReadersAndGoesWithThem) {
  Keep(P({"raw", "t"}), 0, 1000);
  FlightPtr old = store().Lookup(P({"raw", "t"}))->flight;
  ASSERT_TRUE(Try([&] { return store().Drop(P({"raw", "t"}), std::nullopt); }).ok());
  clock().Advance(std::chrono::minutes(10));
  store().Maintain();
  auto reader = old->OpenReader(0).value();
  old.reset();
  EXPECT_EQ(testkit::NumbersOf({reader->Wait(CancelToken()).value()}), Range(0, 1000));
  EXPECT_GT(store().usage().disk_used + store().usage().memory_used, 0_B);
  reader.reset();
  EXPECT_EQ(store().usage().disk_used + store().usage().memory_used, 0_B);
}

TEST_P(StoreContract, BatchesOutliveReaderFlightAndStore) {
  Keep(P({"raw", "t"}), 0, 1000);
  std::vector<Batch> batches;
  {
    auto reader = store().Lookup(P({"raw", "t"}))->flight->OpenReader(0).value();
    batches.push_back(reader->Wait(CancelToken()).value());
  }
  ASSERT_TRUE(Try([&] { return store().Drop(P({"raw", "t"}), std::nullopt); }).ok());
  clock().Advance(std::chrono::minutes(2));
  store().Maintain();
  world_.reset();
  EXPECT_EQ(testkit::NumbersOf(batches), Range(0, 1000));
}

TEST_P(StoreContract, ListenerHearsWhatIsThereAndThenEveryChangeInOrder) {
  Keep(P({"a"}), 0, 1);
  Keep(P({"b"}), 0, 1);
  std::vector<std::string> heard;
  store().Listen([&](const Change& change) {
    heard.push_back(change.path.Text() + (change.found.has_value() ? " is " : " was ") +
                    std::to_string(change.generation));
    if (change.found.has_value()) {
      EXPECT_EQ(change.found->record->generation, change.generation);
      EXPECT_TRUE(change.found->flight->complete());
    }
  });
  const auto is = [](const RecordPtr& record) {
    return record->path.Text() + " is " + std::to_string(record->generation);
  };
  const RecordPtr a = store().Lookup(P({"a"}))->record, b = store().Lookup(P({"b"}))->record;
  std::vector<std::string> expected = {is(a), is(b)};
  EXPECT_EQ(heard, expected);
  const RecordPtr c = Keep(P({"c"}), 0, 1, Tier::kMemory);
  expected.push_back(is(c));
  const RecordPtr again = Keep(P({"a"}), 0, 1);
  expected.push_back(is(again));
  ASSERT_TRUE(Try([&] { return store().Pin(P({"c"}), std::nullopt, true); }).ok());
  expected.push_back(is(c));
  ASSERT_TRUE(Try([&] { return store().Drop(P({"b"}), std::nullopt); }).ok());
  expected.push_back("b was " + std::to_string(b->generation));
  ASSERT_TRUE(Try([&] { return store().Touch(P({"c"}), std::nullopt, 5); }).ok());
  expected.push_back(is(c));
  ASSERT_TRUE(Try([&] { return store().Pin(P({"c"}), std::nullopt, false); }).ok());
  expected.push_back(is(c));
  clock().Advance(std::chrono::seconds(5));
  store().Maintain();
  expected.push_back("c was " + std::to_string(c->generation));
  EXPECT_EQ(heard, expected);
}

}  // namespace
}  // namespace sheaf::store::contract
