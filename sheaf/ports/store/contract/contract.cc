#include "sheaf/ports/store/contract/contract.h"

#include <iostream>
#include <map>
#include <numeric>

#include "testkit/batches.h"

namespace sheaf::store::contract {

Path P(std::vector<std::string> parts) { return Path::Make(std::move(parts)).value(); }

std::vector<int64_t> Range(int64_t first, int64_t rows) {
  std::vector<int64_t> range(static_cast<size_t>(rows));
  std::iota(range.begin(), range.end(), first);
  return range;
}

Sink To(const Path& path, Tier tier) {
  Sink sink;
  sink.path = path;
  sink.tier = tier;
  return sink;
}

std::string Deviations(const Backend& backend) {
  std::string deviations;
  const auto deviates = [&](bool holds, const char* name) {
    if (!holds) deviations += (deviations.empty() ? "" : ", ") + std::string(name);
  };
  deviates(backend.disk_survives_reopen, "disk_survives_reopen");
  deviates(backend.spills, "spills");
  deviates(backend.answers_at_once, "answers_at_once");
  return deviations.empty() ? "none" : deviations;
}

void StoreContract::TearDownTestSuite() {
  for (const auto& [name, deviations] : DeviationsSeen()) {
    std::cout << "store contract, " << name << " deviates in: " << deviations << "\n";
  }
  DeviationsSeen().clear();
}

std::map<std::string, std::string>& StoreContract::DeviationsSeen() {
  static std::map<std::string, std::string> seen;
  return seen;
}

void StoreContract::SetUp() {
  DeviationsSeen()[GetParam().name] = Deviations(GetParam());
  Open({});
}

void StoreContract::Open(const WorldOptions& options) {
  world_.reset();
  world_ = GetParam().open(options);
}

std::unique_ptr<FlightWriter> StoreContract::Writer(WriterOptions options) {
  if (options.schema == nullptr) options.schema = testkit::NumbersSchema();
  return Must([&] { return store().OpenWriter(options); });
}

std::unique_ptr<FlightWriter> StoreContract::Writer(Tier tier, uint32_t partitions) {
  WriterOptions options;
  options.tier = tier;
  options.partitions = partitions;
  return Writer(options);
}

void StoreContract::Write(FlightWriter& writer, Batch batch, uint32_t partition) {
  const Status written = Try([&] { return writer.Write(partition, batch); });
  ASSERT_TRUE(written.ok()) << written.error().message;
}

Result<std::vector<Result<RecordPtr>>> StoreContract::CommitAll(FlightWriter& writer,
                                                                std::vector<CommitTarget> targets) {
  return Try([&] { return writer.Commit(targets, nullptr); });
}

RecordPtr StoreContract::Commit(FlightWriter& writer, Sink sink, Provenance from) {
  auto committed = CommitAll(writer, {{std::move(sink), std::move(from)}});
  EXPECT_TRUE(committed.ok()) << (committed.ok() ? "" : committed.error().message);
  if (!committed.ok() || committed->size() != 1) return nullptr;
  Result<RecordPtr>& record = committed->front();
  EXPECT_TRUE(record.ok()) << (record.ok() ? "" : record.error().message);
  return record.ok() ? *record : nullptr;
}

RecordPtr StoreContract::Keep(Sink sink, int64_t first, int64_t rows) {
  auto writer = Writer(sink.tier);
  if (rows > 0) Write(*writer, testkit::Numbers(first, rows));
  return Commit(*writer, std::move(sink));
}

RecordPtr StoreContract::Keep(const Path& path, int64_t first, int64_t rows, Tier tier) {
  return Keep(To(path, tier), first, rows);
}

std::vector<int64_t> StoreContract::Read(Flight& flight, uint32_t partition) {
  auto reader = Must([&] { return flight.OpenReader(partition); });
  std::vector<Batch> batches;
  while (true) {
    auto batch = reader->Wait(CancelToken());
    EXPECT_TRUE(batch.ok()) << (batch.ok() ? "" : batch.error().message);
    if (!batch.ok() || *batch == nullptr) break;
    batches.push_back(*batch);
  }
  return testkit::NumbersOf(batches);
}

std::vector<int64_t> StoreContract::ReadPath(const Path& path) {
  const auto found = store().Lookup(path);
  EXPECT_TRUE(found.has_value()) << path.Text();
  return found.has_value() ? Read(*found->flight) : std::vector<int64_t>{-2};
}

Error StoreContract::ReadError(Flight& flight, uint32_t partition) {
  auto reader = flight.OpenReader(partition);
  if (!reader.ok()) return reader.error();
  while (true) {
    auto batch = (*reader)->Wait(CancelToken());
    if (!batch.ok()) return batch.error();
    if (*batch == nullptr) return Fail(Kind::kInternal, "read to the end");
  }
}

}  // namespace sheaf::store::contract
