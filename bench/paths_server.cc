// A server whose catalog holds very many paths: the real endpoint over a filled catalog.
//
//   bench_paths_server PATHS     prints its URI; serves until it is killed
#include <arrow/api.h>

#include <cstdio>
#include <cstdlib>

#include "bench/assembled.h"
#include "sheaf/drivers/grpc/allocator.h"

namespace {

void Fill(sheaf::cluster::Catalog& catalog, int64_t paths) {
  const auto schema = arrow::schema(
      {arrow::field("a", arrow::int64(), false), arrow::field("b", arrow::int64(), false),
       arrow::field("c", arrow::int64(), false), arrow::field("d", arrow::int64(), false)});
  for (int64_t i = 0; i < paths; ++i) {
    const auto path = sheaf::Path::Make(
        {"warehouse", "region" + std::to_string(i % 100), "table-" + std::to_string(i)});
    sheaf::cluster::CatalogEntry entry;
    entry.generation = static_cast<uint64_t>(i) + 1;
    entry.schema = schema;
    entry.rows = i;
    entry.bytes = i * 32;
    entry.created = {1'700'000'000'000'000 + i};
    entry.identity.raw = std::string(32, static_cast<char>(i));
    SHEAF_CHECK(catalog.Commit(*path, std::move(entry)).ok());
  }
}

}  // namespace

int main(int argc, char** argv) {
  sheaf::grpc::TuneAllocator();
  sheaf::time::SystemClock clock;
  sheaf::observe::SpdLog log(clock, {});
  bench::Assembled node(log);
  Fill(node.cluster->catalog(), argc > 1 ? std::atoll(argv[1]) : 1);
  auto endpoint = sheaf::endpoint::Endpoint::Start(bench::Assembled::options(), node.parts());
  SHEAF_CHECK(endpoint.ok());
  (*endpoint)->SetState(sheaf::endpoint::Endpoint::State::kReady);
  std::printf("grpc://127.0.0.1:%d\n", (*endpoint)->port());
  std::fflush(stdout);
  sheaf::Event().Wait();
}
