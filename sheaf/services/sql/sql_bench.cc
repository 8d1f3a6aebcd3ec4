// What a run of the service costs: the 22 TPC-H queries over fused Parquet and over batches, small
// queries one after another and at once, and results streamed to a writer that keeps nothing.
//
// SHEAF_BENCH_SIZE=smoke runs everything once over the sample; SHEAF_TPCH names another directory.
// DuckDB's own times over the same data are printed by drivers/duckdb's query_bench.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "sheaf/services/sql/tpch_test.h"
#include "testkit/temporary.h"

namespace sheaf::sql {
namespace {

using testing::FakeWriter;
using testing::Inputs;

struct Stamp {
  double wall = 0;
  double cpu = 0;
};

Stamp Now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  const auto wall = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double>(wall).count(),
          seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

class Bench final {
 public:
  explicit Bench(int rounds) : rounds_(rounds) {
    service_ = SqlService::Open({.memory_max = 4_GiB}, metrics_, scratch_.path()).value();
    inputs_ = testing::OpenTpch(testing::TpchDirectory(scratch_.path()));
  }

  void Tpch(const char* title, const Inputs& inputs) {
    double wall = 0, cpu = 0;
    int64_t rows = 0;
    for (const auto& sql : testing::TpchQueries()) {
      double best = 1e9, cost = 1e9;
      for (int round = 0; round < rounds_; ++round) {
        const Stamp start = Now();
        const int64_t some = Run(sql, inputs);
        const Stamp end = Now();
        best = std::min(best, end.wall - start.wall);
        cost = std::min(cost, end.cpu - start.cpu);
        if (round == 0) rows += some;
      }
      wall += best;
      cpu += cost;
    }
    std::printf("22 TPC-H queries over %s: %.3f s, %.3f s of CPU, %ld rows\n", title, wall, cpu,
                static_cast<long>(rows));
  }

  void Stream(const char* title, const std::string& sql) {
    const Stamp start = Now();
    int64_t rows = 0;
    for (int round = 0; round < rounds_; ++round) rows += Run(sql, inputs_.memory);
    const Stamp end = Now();
    std::printf("%s: %.2f M rows/s, %.2f s of CPU\n", title,
                static_cast<double>(rows) / (end.wall - start.wall) / 1e6, end.cpu - start.cpu);
  }

  void Small(int threads, int each) {
    const Stamp start = Now();
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&] {
        for (int n = 0; n < each; ++n) Run("select count(*) from nation", inputs_.memory);
      });
    }
    for (auto& thread : running) thread.join();
    const Stamp end = Now();
    const double count = threads * each;
    std::printf("small queries, %d at once: %.0f/s, %.1f ms of CPU each\n", threads,
                count / (end.wall - start.wall), (end.cpu - start.cpu) / count * 1e3);
  }

  const testing::TpchInputs& inputs() const { return inputs_; }

 private:
  int64_t Run(const std::string& sql, const Inputs& inputs) {
    const Json spec = {{"sql", sql}};
    const auto plan = service_->MakePlan({.spec = spec}).value();
    FakeWriter writer;
    writer.keep = false;
    const module::RunContext context{.progress = [](double) {}};
    const auto status = service_->Run(plan, inputs, writer, context);
    if (!status.ok()) {
      std::printf("%s\n%s\n", sql.c_str(), status.error().message.c_str());
      std::exit(1);
    }
    return writer.rows();
  }

  const int rounds_;
  const testkit::TemporaryDirectory scratch_;
  observe::MemoryMetrics metrics_;
  std::unique_ptr<SqlService> service_;
  testing::TpchInputs inputs_;
};

}  // namespace
}  // namespace sheaf::sql

int main() {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  const bool smoke = size != nullptr && std::string(size) == "smoke";
  sheaf::sql::Bench bench(smoke ? 1 : 5);
  bench.Tpch("fused Parquet", bench.inputs().files);
  bench.Tpch("batches in memory", bench.inputs().memory);
  bench.Stream("numbers out", "select l_orderkey, l_partkey, l_quantity from lineitem");
  bench.Stream("all columns out", "select * from lineitem");
  bench.Small(1, smoke ? 5 : 200);
  bench.Small(8, smoke ? 2 : 50);
  return 0;
}
