// The bars of persistence: checkpoint, history, nodes, retention and queries.
//   bench_persistence [checkpoint|restore|finish|postgres|heartbeats|purge|pages ...]
#include "bench/persistence.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>

namespace bench {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): a program

size_t Sized(size_t smoke, size_t usual, size_t full) {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  if (size != nullptr && std::strcmp(size, "full") == 0) return full;
  return Smoke() ? smoke : usual;
}

void Sure(const sheaf::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench_persistence: %s\n", status.error().message.c_str());
  std::exit(1);
}

double Percentile99(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return seconds[std::min(seconds.size() - 1, seconds.size() * 99 / 100)];
}

double Percentile99(size_t count, const std::function<void(size_t)>& call) {
  std::vector<double> seconds;
  for (size_t i = 0; i < count; ++i) {
    const double begun = Seconds();
    call(i);
    seconds.push_back(Seconds() - begun);
  }
  return Percentile99(std::move(seconds));
}

Work FinishedJob(int64_t id, size_t detail_bytes) {
  Work work{.type = WorkType::kJob, .id = id};
  const std::string user = "user" + std::to_string(id % 100);
  work.job.emplace()
      .Set<"ducc_id">(id)
      .Set<"user">(user)
      .Set<"class">("normal")
      .Set<"submission_time">(1'700'000'000'000 + id * 1'000)
      .Set<"duration">(60'000)
      .Set<"memory">(16)
      .Set<"processes">(1)
      .Set<"state">("Completed")
      .Set<"reason">("EndOfJob")
      .Set<"total_wi">(100)
      .Set<"done_wi">(100)
      .Set<"description">("a job of the bench");
  work.processes.emplace_back()
      .Set<"ducc_id">(id)
      .Set<"share_id">(id)
      .Set<"host">("node" + std::to_string(id % 64))
      .Set<"user">(user)
      .Set<"class">("normal")
      .Set<"start">(1'700'000'000'000 + id * 1'000)
      .Set<"stop">(1'700'000'060'000 + id * 1'000)
      .Set<"type">("Job");
  std::minstd_rand random(static_cast<uint32_t>(id % INT32_MAX) + 1);
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  work.detail.resize(detail_bytes);
  for (char& letter : work.detail) letter = kLetters[(random() >> 8) % kLetters.size()];
  return work;
}

Open::Open(const std::string& path) : opened(Sure(OpenSqlite({.path = path}))) {
  epoch = Sure(opened.parts.fencing->Acquire(NodeScope("bench"), "bench"));
  Sure(history().Restore(epoch, RestoreMode::kWarm));
}

std::unique_ptr<sheaf::sqlite::Database> OpenBare(const std::string& path) {
  auto database = Sure(sheaf::sqlite::Database::Open({.path = path}));
  Sure(database->Run("pragma cache_size = -65536"));
  Sure(database->Run("pragma journal_mode = wal"));
  Sure(database->Run("pragma synchronous = full"));
  return database;
}

namespace {

constexpr std::array<std::pair<std::string_view, void (*)()>, 7> kRows = {
    {{"checkpoint", CheckpointRows},
     {"restore", RestoreRow},
     {"finish", FinishRows},
     {"postgres", PostgresRows},
     {"heartbeats", HeartbeatRow},
     {"purge", PurgeRow},
     {"pages", PageRows}}};

int Main(std::span<char* const> names) {
  for (const char* name : names) {
    const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                   [&](const auto& each) { return each.first == name; });
    if (row == kRows.end()) {
      std::fprintf(stderr, "bench_persistence: no rows called %s\n", name);
      return 2;
    }
    row->second();
  }
  if (!names.empty()) return 0;
  for (const auto& [name, measure] : kRows) measure();
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::Main(std::span<char* const>(argv + 1, static_cast<size_t>(argc - 1)));
}
