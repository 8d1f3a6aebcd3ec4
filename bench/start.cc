// How soon a server is ready that has very many flights on its disk.
//
// They are written once, through the store itself, into .deps/bench; remove that directory when
// the format of the store changes.
#include <arrow/api.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench/batches.h"
#include "bench/clients.h"
#include "bench/measure.h"
#include "sheaf/adapters/store/local_store.h"
#include "sheaf/base/observe/observe.h"
#include "testkit/temporary.h"

namespace bench {
namespace {

namespace fs = std::filesystem;
using namespace sheaf;

constexpr int kWriters = 32;  // They share the syncs of the index.

void WriteOne(store::Store& store, int64_t number) {
  auto writer = store.OpenWriter({.schema = NumbersSchema(), .tier = Tier::kDisk}).value();
  SHEAF_CHECK(writer->Write(0, Numbers(number, 16)).ok());
  Sink sink;
  sink.path = *Path::Make({"many", std::to_string(number % 100), std::to_string(number)});
  const auto written = writer->Commit({{.sink = std::move(sink), .from = {}}}, nullptr);
  SHEAF_CHECK(written.ok() && written->front().ok());
}

void WritePart(const std::string& state, int64_t first, int64_t end) {
  time::SystemClock clock;
  observe::NullLog log;
  observe::MemoryMetrics metrics;
  auto store =
      store::OpenLocal(
          {.clock = clock, .log = log, .metrics = metrics, .directory = state + "/flights"})
          .value();
  std::atomic<int64_t> next{first};
  InParallel(kWriters, [&](int) {
    uint64_t mine = 0;
    for (int64_t i = next++; i < end; i = next++, ++mine) WriteOne(*store, i);
    return mine;
  });
}

// In parts: a store keeps the files open that it has written.
void Write(const std::string& state, int64_t count) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto part = static_cast<int64_t>(std::min<rlim_t>(files.rlim_max / 2, 10'000));
  for (int64_t i = 0; i < count; i += part) WritePart(state, i, std::min(count, i + part));
}

// The state directory with so many flights; made when it is not there.
std::string StateWith(int64_t count) {
  const char* root = std::getenv("SHEAF_SOURCE_DIR");
  const std::string state =
      std::string(root == nullptr ? "." : root) + "/.deps/bench/flights-" + std::to_string(count);
  if (fs::exists(state)) return state;
  std::fprintf(stderr, "bench_start: writing %lld flights, once\n", static_cast<long long>(count));
  const std::string part = state + ".part";
  fs::remove_all(part);
  fs::create_directories(part);
  fs::permissions(part, fs::perms::owner_all);
  Write(part, count);
  fs::rename(part, state);
  return state;
}

// Seconds from the start of the process to its ready line; the checksum is what it then holds.
Measured Start(const std::string& state) {
  Measured measured;
  const double start = Seconds();
  const Node node(state, {});
  measured.value = Seconds() - start;
  const auto client = Connect(node.uri());
  measured.checksum = nlohmann::json::parse(Act(*client, "HealthCheck", "{}"))["flights"];
  return measured;
}

int Main() {
  const testkit::TemporaryDirectory directory;
  std::string state = directory.path() + "/state";
  const int64_t count = Smoke() ? 200 : 100'000;
  if (Smoke()) {
    fs::create_directories(state);
    Write(state, count);
  } else {
    state = StateWith(count);
  }
  Against({.bench = "start/" + std::to_string(count) + " flights on disk",
           .unit = "s",
           .better = Row::Better::kLower},
          2.0, [&] { return Start(state); });
  return 0;
}

}  // namespace
}  // namespace bench

int main() { return bench::Main(); }
