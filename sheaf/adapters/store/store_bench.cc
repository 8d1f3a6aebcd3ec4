// How quick the store is: writing, reading warm, committing from many threads, starting.
// SHEAF_BENCH_SIZE=smoke keeps it to a second. Prints a checksum of what was read.
#include <arrow/api.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "sheaf/adapters/store/local_store.h"
#include "sheaf/drivers/files/checksum.h"
#include "testkit/batches.h"
#include "testkit/temporary.h"

namespace sheaf::store {
namespace {

using Seconds = std::chrono::duration<double>;

bool Smoke() {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  return size != nullptr && std::strcmp(size, "smoke") == 0;
}

Path P(const std::string& name) { return Path::Make({"bench", name}).value(); }

// Numbers without text, 2 MiB a batch: what a query result looks like to the store.
Batch Wide() {
  constexpr int64_t kRows = 2 << 17;
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < kRows; ++i) SHEAF_CHECK(builder.Append(i * 7919).ok());
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  return arrow::RecordBatch::Make(schema, kRows, {builder.Finish().ValueOrDie()});
}

// Anonymous memory of this process, in MiB.
int64_t AnonymousMiB() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::strtoll(line.c_str() + 8, nullptr, 10) / 1024;
  }
  return 0;
}

class Bench {
 public:
  std::unique_ptr<Store> Open(Bytes memory_budget = {}) {
    LocalStoreOptions options{.clock = clock_, .log = log_, .metrics = metrics_};
    options.directory = directory_.path() + "/store";
    options.memory_budget = memory_budget;
    return OpenLocal(options).value();
  }
  double Now() const { return Seconds(clock_.Now().time_since_epoch()).count(); }
  double Transactions() const { return metrics_.Value("sheaf_store_transactions_total"); }

 private:
  testkit::TemporaryDirectory directory_;
  time::SystemClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
};

void Keep(Store& store, const std::string& name, const Batch& batch, int count, Tier tier) {
  WriterOptions options;
  options.schema = batch->schema();
  options.tier = tier;
  auto writer = store.OpenWriter(options).value();
  for (int i = 0; i < count; ++i) SHEAF_CHECK(writer->Write(0, batch).ok());
  CommitTarget target;
  target.sink.path = P(name);
  target.sink.tier = tier;
  target.from.command = R"({"service":"sql","spec":{"sql":"select 1"}})";
  target.from.identity.raw = std::string(32, 'x');
  SHEAF_CHECK(writer->Commit({target}, nullptr).value().front().ok());
}

// Reads a flight as DoGet would, touching one byte of each page; the sum of those bytes.
uint64_t Read(Store& store, const std::string& name, bool touch) {
  uint64_t sum = 0;
  auto reader = store.Lookup(P(name))->flight->OpenReader(0).value();
  while (true) {
    const Batch batch = reader->Wait(CancelToken()).value();
    if (batch == nullptr) return sum;
    const auto& values = batch->column_data(0)->buffers[1];
    for (int64_t at = 0; touch && at < values->size(); at += 4096) sum += values->data()[at];
    sum += static_cast<uint64_t>(batch->num_rows());
  }
}

void WriteAndRead(Bench& bench) {
  const Batch batch = Wide();
  const int count = Smoke() ? 8 : 512;
  const double mib = 2.0 * count;
  auto store = bench.Open();
  uint64_t checksum = 0;
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    const char* name = tier == Tier::kMemory ? "memory" : "disk";
    double began = bench.Now();
    Keep(*store, name, batch, count, tier);
    std::printf("write %s: %.0f MiB/s (with its commit)\n", name, mib / (bench.Now() - began));
    for (const char* pass : {"first", "warm", "warm"}) {
      began = bench.Now();
      checksum += Read(*store, name, true);
      std::printf("read %s, %s: %.0f MiB/s\n", name, pass, mib / (bench.Now() - began));
    }
    began = bench.Now();
    checksum += Read(*store, name, false);
    std::printf("read %s, untouched: %.2f us a batch\n", name,
                1e6 * (bench.Now() - began) / count);
  }
  std::printf("checksum %llx\n", static_cast<unsigned long long>(checksum));
}

// One thread writes, one follows: a result that is served while it is kept.
void Follow(Bench& bench) {
  const Batch batch = Wide();
  const int count = Smoke() ? 8 : 512;
  auto store = bench.Open();
  for (const Tier tier : {Tier::kMemory, Tier::kDisk}) {
    WriterOptions options;
    options.schema = batch->schema();
    options.tier = tier;
    auto writer = store->OpenWriter(options).value();
    const double began = bench.Now();
    int64_t rows = 0;
    std::thread follower([&, flight = writer->flight()] {
      auto reader = flight->OpenReader(0).value();
      while (const Batch read = reader->Wait(CancelToken()).value()) {
        const auto& values = read->column_data(0)->buffers[1];
        for (int64_t at = 0; at < values->size(); at += 64) rows += values->data()[at] & 1;
        rows += read->num_rows();
      }
    });
    for (int i = 0; i < count; ++i) SHEAF_CHECK(writer->Write(0, batch).ok());
    SHEAF_CHECK(writer->Commit({}, nullptr).ok());
    follower.join();
    std::printf("follow %s: %.0f MiB/s, %lld\n", tier == Tier::kMemory ? "memory" : "disk",
                2.0 * count / (bench.Now() - began), static_cast<long long>(rows));
  }
}

void Spill(Bench& bench) {
  const int64_t budget = Smoke() ? 16 : 256;
  auto store = bench.Open({budget << 20});
  WriterOptions options;
  options.schema = testkit::NumbersSchema();
  auto writer = store->OpenWriter(options).value();
  const int64_t before = AnonymousMiB();
  int64_t most = 0;
  const double began = bench.Now();
  int64_t written = 0;
  for (; written < 10 * budget; written += 2) {
    SHEAF_CHECK(writer->Write(0, testkit::Numbers(written * 1000, 1000, 2000)).ok());
    most = std::max(most, AnonymousMiB() - before);
  }
  std::printf("spill: %lld MiB through a budget of %lld MiB held %lld MiB at most, %.0f MiB/s\n",
              static_cast<long long>(written), static_cast<long long>(budget),
              static_cast<long long>(most),
              static_cast<double>(written) / (bench.Now() - began));
}

void Commit(Bench& bench) {
  auto store = bench.Open();
  const Batch small = testkit::Numbers(0, 10);
  for (const int threads : {1, 4, 16}) {
    const int each = (Smoke() ? 16 : 400) / threads;
    const double began = bench.Now(), before = bench.Transactions();
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          Keep(*store, std::to_string(t) + "-" + std::to_string(i), small, 1, Tier::kDisk);
        }
      });
    }
    for (auto& worker : workers) worker.join();
    std::printf("commit by %d threads: %.0f durable/s in %.0f transactions\n", threads,
                threads * each / (bench.Now() - began), bench.Transactions() - before);
  }
}

// Every path with a file of its own, as of a node that has kept results for long.
void Start(Bench& bench) {
  const int flights = Smoke() ? 400 : 100'000;
  {
    auto store = bench.Open();
    const Batch row = testkit::Numbers(0, 1);
    std::vector<std::thread> workers;
    constexpr int kThreads = 32;
    for (int t = 0; t < kThreads; ++t) {
      workers.emplace_back([&, t] {
        for (int i = t; i < flights; i += kThreads) {
          Keep(*store, "start-" + std::to_string(i), row, 1, Tier::kDisk);
        }
      });
    }
    for (auto& worker : workers) worker.join();
  }
  const int64_t before = AnonymousMiB();
  const double began = bench.Now();
  auto store = bench.Open();
  std::printf("start: %lld flights in %.0f ms, %lld MiB\n",
              static_cast<long long>(store->usage().flights), 1e3 * (bench.Now() - began),
              static_cast<long long>(AnonymousMiB() - before));
  const double looked = bench.Now();
  for (int i = 0; i < flights; ++i) {
    SHEAF_CHECK(store->Lookup(P("start-" + std::to_string(i))).has_value());
  }
  std::printf("lookup: %.2f us each\n", 1e6 * (bench.Now() - looked) / flights);
}

}  // namespace
}  // namespace sheaf::store

int main() {
  using namespace sheaf::store;
  for (const auto run : {WriteAndRead, Follow, Spill, Commit, Start}) {
    Bench bench;
    run(bench);
  }
  return 0;
}
