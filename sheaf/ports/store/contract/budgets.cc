// PLAN  memory stays within its budget by spilling, also under a follower · without spilling a
//       writer gets kExhausted naming the budget, others are unharmed · the order in which flights
//       go · uploads, pins and open flights stay · memory_max · a disk budget
#include "sheaf/ports/store/contract/contract.h"
#include "testkit/batches.h"

namespace sheaf::store::contract {
namespace {

constexpr int64_t kText = 2200;  // A batch of 500 rows is a little above 1 MiB: never gathered.

Provenance Computed() {
  Provenance from;
  from.identity.raw = std::string(32, '\1');
  from.command = "{}";
  return from;
}

TEST_P(StoreContract, MemoryAboveTheBudgetSpillsUnderAFollower) {
  Open({.memory_budget = 8_MiB});
  auto writer = Writer(Tier::kMemory);
  auto reader = writer->flight()->OpenReader(0).value();
  std::vector<Batch> followed;
  Status written;
  for (int64_t first = 0; first < 40'000 && written.ok(); first += 500) {
    written = writer->Write(0, testkit::Numbers(first, 500, kText));
    EXPECT_LE(store().usage().memory_used, 10_MiB);
    if (first % 2000 != 0 || !written.ok()) continue;
    const auto step = reader->Next([] {});
    ASSERT_TRUE(step.ok());
    if (step->batch != nullptr) followed.push_back(step->batch);
  }
  if (!GetParam().spills) {
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().kind, Kind::kExhausted);
    EXPECT_NE(written.error().message.find("8MiB"), std::string::npos) << written.error().message;
    return;
  }
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_GT(store().usage().spilled, 0);
  const RecordPtr record = Commit(*writer, To(P({"raw", "big"}), Tier::kMemory));
  EXPECT_EQ(record->tier, Tier::kMemory);
  EXPECT_FALSE(record->durable);
  while (true) {
    const Batch batch = reader->Wait(CancelToken()).value();
    if (batch == nullptr) break;
    followed.push_back(batch);
  }
  EXPECT_EQ(testkit::NumbersOf(followed), Range(0, 40'000));
  EXPECT_EQ(ReadPath(P({"raw", "big"})), Range(0, 40'000));
  writer.reset();
  world_->Reopen();
  EXPECT_FALSE(store().Lookup(P({"raw", "big"})).has_value());
  EXPECT_EQ(store().usage().disk_used, 0_B);
}

TEST_P(StoreContract, UploadsAndOpenFlightsStayUnderPressure) {
  Open({.memory_budget = 8_MiB});
  Keep(P({"up"}), 0, 1000, Tier::kMemory);
  auto sunk = Writer(Tier::kMemory);
  Write(*sunk, testkit::Numbers(5000, 1000, kText));
  Commit(*sunk, To(P({"sunk"}), Tier::kMemory), Computed());
  sunk.reset();
  const FlightPtr open = store().Lookup(P({"sunk"}))->flight;
  auto writer = Writer(Tier::kMemory);
  Status written;
  for (int64_t i = 0; i < 30 && written.ok(); ++i) {
    written = writer->Write(0, testkit::Numbers(i * 500, 500, kText));
  }
  EXPECT_EQ(written.ok(), GetParam().spills);
  EXPECT_EQ(ReadPath(P({"up"})), Range(0, 1000));
  EXPECT_EQ(Read(*open), Range(5000, 1000));
  EXPECT_EQ(store().usage().evicted, 0);
}

TEST_P(StoreContract, FormerThenReadThenSunkFlightsGo) {
  Open({.memory_budget = 10_MiB});
  const auto keep = [&](const Path& path, int64_t first) {
    WriterOptions options;
    options.spill = WriterOptions::Spill::kForbidden;
    auto writer = Writer(options);
    Write(*writer, testkit::Numbers(first, 500, kText));
    Commit(*writer, To(path, Tier::kMemory), Computed());
    clock().Advance(std::chrono::milliseconds(1));
    return writer->flight()->generation();
  };
  const uint64_t a = keep(P({"a"}), 0);
  const uint64_t former = keep(P({"b"}), 0);
  keep(P({"b"}), 1000);
  WriterOptions forbidden;
  forbidden.spill = WriterOptions::Spill::kForbidden;
  auto unnamed = Writer(forbidden);
  const FlightPtr result = unnamed->flight();
  Write(*unnamed, testkit::Numbers(0, 500, kText));
  ASSERT_TRUE(CommitAll(*unnamed, {}).ok());
  unnamed.reset();
  store().MarkRead(result->generation());

  auto writer = Writer(forbidden);
  const auto former_there = [&] { return store().LookupGeneration(P({"b"}), former).ok(); };
  const auto result_there = [&] { return result->OpenReader(0).ok(); };
  std::vector<std::string> order;
  bool had_former = true, had_result = true, had_a = true, had_b = true;
  Status written;
  for (int64_t i = 0; written.ok() && i < 20; ++i) {
    written = writer->Write(0, testkit::Numbers(i * 500, 500, kText));
    if (had_former && !former_there()) order.emplace_back("former");
    if (had_result && !result_there()) order.emplace_back("result");
    if (had_a && !store().Lookup(P({"a"})).has_value()) order.emplace_back("a");
    if (had_b && !store().Lookup(P({"b"})).has_value()) order.emplace_back("b");
    had_former = former_there();
    had_result = result_there();
    had_a = store().Lookup(P({"a"})).has_value();
    had_b = store().Lookup(P({"b"})).has_value();
  }
  EXPECT_EQ(order, (std::vector<std::string>{"former", "result", "a", "b"}));
  EXPECT_EQ(ReadError(*result).kind, Kind::kResultGone);
  EXPECT_EQ(store().LookupGeneration(P({"a"}), a).error().kind, Kind::kResultGone);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, Kind::kExhausted);
  EXPECT_EQ(store().usage().evicted, 4);
}

TEST_P(StoreContract, PinnedFlightStaysAndAFullTierIsExhausted) {
  Open({.memory_budget = 5_MiB});
  WriterOptions forbidden;
  forbidden.spill = WriterOptions::Spill::kForbidden;
  auto first = Writer(forbidden);
  Write(*first, testkit::Numbers(0, 1000, kText));
  Commit(*first, To(P({"a"}), Tier::kMemory), Computed());
  first.reset();
  ASSERT_TRUE(Try([&] { return store().Pin(P({"a"}), std::nullopt, true); }).ok());
  auto writer = Writer(forbidden);
  const FlightPtr flight = writer->flight();
  Write(*writer, testkit::Numbers(0, 500, kText));
  Write(*writer, testkit::Numbers(0, 500, kText));
  const Status refused = writer->Write(0, testkit::Numbers(0, 500, kText));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kExhausted);
  writer->Abort(refused.error());
  EXPECT_EQ(flight->outcome().error().kind, Kind::kExhausted);
  EXPECT_EQ(ReadPath(P({"a"})), Range(0, 1000));
}

TEST_P(StoreContract, MemoryMaxEndsAResultThatMayNotSpill) {
  WriterOptions options;
  options.spill = WriterOptions::Spill::kForbidden;
  options.memory_max = 3_MiB;
  auto writer = Writer(options);
  Write(*writer, testkit::Numbers(0, 500, kText));
  Write(*writer, testkit::Numbers(500, 500, kText));
  const Status refused = writer->Write(0, testkit::Numbers(1000, 1000, kText));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kExhausted);
  EXPECT_NE(refused.error().message.find("3MiB"), std::string::npos) << refused.error().message;
}

TEST_P(StoreContract, DiskBudgetEvictsSunkFlightsAndThenRefuses) {
  Open({.disk_budget = 8_MiB});
  if (!GetParam().disk_survives_reopen) return;  // No disk, no budget of it.
  const auto write = [&](const Path& path, Provenance from) -> Status {
    auto writer = Writer(Tier::kDisk);
    for (int64_t i = 0; i < 2; ++i) {
      SHEAF_TRY(writer->Write(0, testkit::Numbers(i * 500, 500, kText)));
    }
    clock().Advance(std::chrono::milliseconds(1));
    SHEAF_TRY(CommitAll(*writer, {{To(path), std::move(from)}}));
    return Done();
  };
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(write(P({"sunk", std::to_string(i)}), Computed()).ok());
    EXPECT_LE(store().usage().disk_used, 8_MiB);
  }
  EXPECT_FALSE(store().Lookup(P({"sunk", "0"})).has_value());
  EXPECT_TRUE(store().Lookup(P({"sunk", "9"})).has_value());
  EXPECT_GE(store().usage().evicted, 6);
  int uploads = 0;
  Status written;
  for (; uploads < 10 && written.ok(); ++uploads) {
    written = write(P({"up", std::to_string(uploads)}), {});
  }
  EXPECT_LT(uploads, 6);
  EXPECT_EQ(written.error().kind, Kind::kExhausted);
  EXPECT_NE(written.error().message.find("8MiB"), std::string::npos) << written.error().message;
  for (int i = 0; i + 1 < uploads; ++i) {
    EXPECT_EQ(ReadPath(P({"up", std::to_string(i)})), Range(0, 1000));
  }
}

TEST_P(StoreContract, ASliceOfALargeTableIsChargedOnce) {
  Open({.memory_budget = 64_MiB});
  const Batch table = testkit::Numbers(0, 20'000, 1000);
  auto writer = Writer(Tier::kMemory);
  Write(*writer, table);
  EXPECT_GT(store().usage().memory_used, 19_MiB);
  EXPECT_LT(store().usage().memory_used, 40_MiB);
  EXPECT_EQ(store().usage().spilled, 0);
}

}  // namespace
}  // namespace sheaf::store::contract
