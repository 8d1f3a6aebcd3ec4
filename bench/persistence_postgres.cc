// Finished jobs into PostgreSQL over its socket, against pgbench with the same rows.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bench/persistence.h"
#include "sheaf/base/async/event.h"
#include "testkit/postgres.h"

namespace bench {
namespace {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): a program

constexpr size_t kWriters = 8;
constexpr char kPgbench[] = "/usr/lib/postgresql/15/bin/pgbench";

size_t Jobs() { return Sized(80, 4'000, 4'000); }

// One job a transaction; ids grow, as Sheaf's do.
constexpr char kScript[] = R"(\set n :n + 1
\set id :base + :n * 8 + :client_id
\set who :id % 100
\set host :id % 64
\set begun 1700000000000 + :id * 1000
\set ended :begun + 60000
begin;
insert into job_history(type, ducc_id, history, work) values ('job', :id, true, :doc);
insert into jobs("user", class, ducc_id, submission_time, duration, memory, processes, reason,
 state, total_wi, done_wi, description) values ('user' || :who, 'normal', :id, :begun, 60000, 16, 1,
 'EndOfJob', 'Completed', 100, 100, 'a job of the bench');
insert into processes(ducc_id, share_id, host, "user", class, start, stop, type)
 values (:id, :id, 'node' || :host, 'user' || :who, 'normal', :begun, :ended, 'Job');
end;
)";

std::string Hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex = "\\x";
  for (const char c : bytes) {
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

// Jobs a second of pgbench.
double PgbenchRate(const std::string& url, const std::string& script, int turn) {
  const std::string command =
      std::string(kPgbench) + " -n -M prepared -j 2 -c " + std::to_string(kWriters) + " -t " +
      std::to_string(Jobs() / kWriters) + " -D n=0 -D base=" + std::to_string(turn * 10'000'000) +
      " -D 'doc=" + Hex(EncodeWork(FinishedJob(1))) + "' -f " + script + " '" + url + "' 2>&1";
  std::FILE* output = ::popen(command.c_str(), "r");
  SHEAF_CHECK(output != nullptr);
  double rate = 0;
  std::string all;
  for (std::array<char, 512> line{}; std::fgets(line.data(), line.size(), output) != nullptr;) {
    std::sscanf(line.data(), "tps = %lf", &rate);
    all += line.data();
  }
  if (::pclose(output) == 0 && rate > 0) return rate;
  std::fprintf(stderr, "bench_persistence: pgbench failed:\n%s", all.c_str());
  std::exit(1);
}

sheaf::postgres::Surroundings Around(sheaf::Clock& clock) {
  return {.clock = clock,
          .wait =
              [](sheaf::Duration wait) {
                (void)sheaf::Event().WaitFor(wait);
                return sheaf::Done();
              },
          .chance = [] { return 0.5; }};
}

}  // namespace

void PostgresRows() {
  if (const auto missing = testkit::Postgres::Missing(); !missing.empty()) {
    std::fprintf(stderr, "bench_persistence: without PostgreSQL: %s\n", missing.c_str());
    return;
  }
  testkit::Postgres server(std::filesystem::temp_directory_path().string());
  sheaf::time::SystemClock clock;
  const std::string bare_url = server.FreshUrl();
  { Sure(OpenPostgres({.connect = {.url = bare_url}}, Around(clock))); }
  const auto sheaf = Sure(OpenPostgres(
      {.connect = {.url = server.FreshUrl()}, .sessions_max = kWriters}, Around(clock)));
  std::vector<Epoch> epochs;
  for (size_t i = 0; i < kWriters; ++i) {
    epochs.push_back(
        Sure(sheaf.parts.fencing->Acquire(NodeScope("bench" + std::to_string(i)), "bench")));
  }
  const testkit::TemporaryDirectory directory;
  const std::string script = directory.path() + "/job.sql";
  std::ofstream(script) << kScript;
  int turn = 0;
  Works works;
  for (const size_t nodes : {kWriters, size_t{1}}) {
    const std::string whose = nodes == 1 ? "8 writers of 1 node" : "8 nodes";
    Compare({"finish/PostgreSQL, " + whose + " to pgbench with 8 clients", "jobs/s", 0.7},
            [&] { return Measured{PgbenchRate(bare_url, script, ++turn), Jobs()}; },
            [&] {
              const auto next = works.Next(Jobs());
              const std::span<const Epoch> some(epochs.data(), nodes);
              return Measured{SaveRate(*sheaf.parts.history, some, next, kWriters), Jobs()};
            });
  }
}

}  // namespace bench
