// A real cluster's 325 jobs with 1.69 M work items, replayed at 1,000 times their speed against
// each back end: what is written down is the same in all, and complete. See docs/replay.md.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/cluster.h"
#include "bench/measure.h"
#include "sheaf/adapters/persistence/persistence.h"
#include "sheaf/base/async/event.h"
#include "sheaf/base/core/check.h"
#include "testkit/postgres.h"
#include "testkit/temporary.h"

namespace bench {
namespace {

using namespace sheaf;               // NOLINT(google-build-using-namespace): a program
using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): the same

constexpr uint64_t kSeed = 20'260'101;
constexpr double kCompression = 1000;

uint64_t MixText(uint64_t sum, const std::string& text) {
  for (const char c : text) sum = Mix(sum, static_cast<uint8_t>(c));
  return sum;
}

// Everything that must be there afterwards, and nothing else; a sum over all of it.
uint64_t Check(Persistence& memory, const Epoch& epoch, const std::vector<WorkloadJob>& jobs,
               const Replayed& replayed) {
  int64_t items = 0;
  for (const auto& job : jobs) items += job.items;
  SHEAF_CHECK(replayed.items == items);
  SHEAF_CHECK(replayed.jobs == static_cast<int64_t>(jobs.size()));
  uint64_t sum = 0;
  std::vector<Work> works = memory.history->Newest(WorkType::kJob, jobs.size() + 1).value();
  SHEAF_CHECK(works.size() == jobs.size());
  int64_t kept = 0;
  for (const Work& work : works) {
    kept += work.job->Get<"done_wi">();
    sum = MixText(sum, EncodeWork(work));
  }
  SHEAF_CHECK(kept == items);
  const auto page = memory.history->Jobs({.limit = kPageMax}).value();
  SHEAF_CHECK(page.rows.size() == jobs.size());
  const auto again = memory.history->Save(epoch, works);
  SHEAF_CHECK(again.ok() && *again == std::vector<Saved>(works.size(), Saved::kAlready));
  const Resources resources = memory.resources->Read().value();
  SHEAF_CHECK(resources.shares.empty() && resources.load.empty());
  for (const Node& node : resources.nodes) {
    SHEAF_CHECK(node.Get<"shares_left">() == node.Get<"share_order">());
  }
  SHEAF_CHECK(memory.history->Restore(epoch, RestoreMode::kWarm)->live == LiveWork());
  if (memory.administration != nullptr) {
    const auto differences = memory.administration->Verify([](const Doing&) { return Done(); });
    SHEAF_CHECK(differences.ok() && differences->empty());
  }
  for (const Sample& sample : replayed.samples) sum = MixText(sum, sample.verdict.reason);
  return sum;
}

void WriteCsv(const char* path, const Replayed& replayed) {
  std::ofstream file(path);
  file << "hours,verdict,shares_total,shares_free,shares_wanted,jobs\n";
  for (const auto& [at_ms, verdict, jobs] : replayed.samples) {
    file << static_cast<double>(at_ms) / 3.6e6 << ',' << VerdictName(verdict.verdict) << ','
         << verdict.shares_total << ',' << verdict.shares_free << ',' << verdict.shares_wanted
         << ',' << jobs << '\n';
  }
}

uint64_t Replay(const std::string& name, Persistence& memory, const char* csv) {
  const char* root = std::getenv("SHEAF_SOURCE_DIR");
  const auto jobs = ReadWorkload(std::string(root == nullptr ? "." : root) +
                                 "/tests/data/ducc_workload.tsv");
  Cluster cluster(memory, jobs, {.seed = kSeed});
  const double begun = Seconds();
  const Replayed replayed = cluster.Run();
  const double took = Seconds() - begun;
  const uint64_t sum = Check(memory, cluster.epoch(), jobs, replayed);
  std::array<int64_t, 3> verdicts{};
  for (const Sample& sample : replayed.samples) {
    ++verdicts[static_cast<size_t>(sample.verdict.verdict)];
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum));
  const nlohmann::ordered_json line{
      {"replay", name},
      {"seed", kSeed},
      {"jobs", replayed.jobs},
      {"items", replayed.items},
      {"items_ms", replayed.items_ms},
      {"hours", static_cast<double>(replayed.ended_ms) / 3.6e6},
      {"compressed_s", static_cast<double>(replayed.ended_ms) / 1000 / kCompression},
      {"took_s", took},
      {"events_per_s", static_cast<double>(replayed.events()) / took},
      {"syncs", replayed.writes()},
      {"changes", replayed.changes},
      {"share_writes", replayed.shares},
      {"load_writes", replayed.loads},
      {"items_per_change", static_cast<double>(replayed.items) /
                               static_cast<double>(std::max<int64_t>(replayed.changes, 1))},
      {"bytes", replayed.bytes},
      {"under", verdicts[0]},
      {"sufficient", verdicts[1]},
      {"over", verdicts[2]},
      {"checksum", text}};
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
  if (csv != nullptr) WriteCsv(csv, replayed);
  return sum;
}

int Main(const char* csv) {
  Persistence memory = OpenMemory();
  const uint64_t want = Replay("memory", memory, csv);
  {
    const testkit::TemporaryDirectory directory;
    auto sqlite = OpenSqlite({.path = directory.path() + "/sheaf.db"}).value();
    SHEAF_CHECK(Replay("sqlite", sqlite.parts, nullptr) == want);
  }
  if (const auto missing = testkit::Postgres::Missing(); !missing.empty()) {
    std::fprintf(stderr, "bench_replay: without PostgreSQL: %s\n", missing.c_str());
    return 0;
  }
  time::SystemClock clock;
  const postgres::Surroundings surroundings{.clock = clock,
                                            .wait =
                                                [](Duration wait) {
                                                  (void)Event().WaitFor(wait);
                                                  return Done();
                                                },
                                            .chance = [] { return 0.5; }};
  auto postgres =
      OpenPostgres({.connect = {.url = testkit::Postgres::Shared().FreshUrl()}}, surroundings)
          .value();
  SHEAF_CHECK(Replay("postgres", postgres.parts, nullptr) == want);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc > 1 ? argv[1] : nullptr); }
