// The catalog with many paths: bytes a record all in (the process's memory before and after) and
// lookups a second of one core, in random order. Prints both and a checksum of what was found.
#include <arrow/api.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "sheaf/adapters/cluster/memory_cluster.h"

namespace {

size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Of this process's processor time: what else runs on the machine does not count.
double Seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main() {
  using namespace sheaf;
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  const bool smoke = size != nullptr && std::string(size) == "smoke";
  const int paths = smoke ? 20'000 : 1'000'000;
  const int lookups = smoke ? 50'000 : 5'000'000;
  time::SystemClock clock;
  const auto path_of = [](int i) {
    return *Path::Make({"warehouse", "region" + std::to_string(i % 100),
                        "table-" + std::to_string(1'000'000 + i)});
  };
  const size_t before = HeapBytes();
  auto cluster = cluster::MakeMemoryCluster({"node0"}, clock);
  cluster::Catalog& catalog = cluster->catalog();
  double start = Seconds();
  for (int i = 0; i < paths; ++i) {
    cluster::CatalogEntry entry;
    entry.generation = static_cast<uint64_t>(i) + 1;
    // A schema object of its own each time, a hundred different ones.
    entry.schema = arrow::schema({arrow::field("id", arrow::int64()),
                                  arrow::field("v" + std::to_string(i % 100), arrow::utf8())});
    entry.rows = i;
    entry.identity.raw = std::string(32, static_cast<char>(i));
    SHEAF_CHECK(catalog.Commit(path_of(i), std::move(entry)).ok());
  }
  const double built = Seconds() - start;
  const double bytes = static_cast<double>(HeapBytes() - before) / paths;

  std::mt19937_64 random(7);
  std::vector<Path> asked;
  for (int i = 0; i < 100'000; ++i) asked.push_back(path_of(static_cast<int>(random() % paths)));
  uint64_t checksum = 0;
  start = Seconds();
  for (int i = 0; i < lookups; ++i) {
    const auto found = catalog.Lookup(asked[static_cast<size_t>(i) % asked.size()]);
    SHEAF_CHECK(found.has_value());
    checksum = checksum * 31 + static_cast<uint64_t>(found->rows);
  }
  const double took = Seconds() - start;
  std::printf(
      "catalog of %d paths: %.0f bytes a record, %.2f M lookups/s, "
      "%.0f commits/s, checksum %016llx\n",
      paths, bytes, lookups / took / 1e6, paths / built,
      static_cast<unsigned long long>(checksum));
  return 0;
}
