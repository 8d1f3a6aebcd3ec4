#include "bench/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

namespace bench {
namespace {

int Rounds() { return Smoke() ? 1 : 5; }

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Print(const Row& row, double baseline, double candidate, uint64_t checksum) {
  const double ratio = candidate / baseline;
  const bool higher = row.better == Row::Better::kHigher;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(checksum));
  const std::string bar = (higher ? ">= " : "<= ") + nlohmann::json(row.bar).dump();
  const nlohmann::ordered_json line{{"bench", row.bench},
                                    {"baseline", baseline},
                                    {"candidate", candidate},
                                    {"unit", row.unit},
                                    {"ratio", ratio},
                                    {"bar", bar},
                                    {"pass", higher ? ratio >= row.bar : ratio <= row.bar},
                                    {"checksum", text}};
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

void Agree(const Row& row, uint64_t a, uint64_t b) {
  if (a == b) return;
  std::fprintf(stderr, "%s: the sides did different work (%016llx, %016llx)\n", row.bench.c_str(),
               static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
  std::exit(1);
}

}  // namespace

bool Smoke() {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  return size != nullptr && std::strcmp(size, "smoke") == 0;
}

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

void Compare(const Row& row, const Side& baseline, const Side& candidate) {
  const uint64_t checksum = baseline().checksum;
  Agree(row, checksum, candidate().checksum);
  std::vector<double> before, after;
  for (int round = 0; round < Rounds(); ++round) {
    const Measured first = baseline();
    const Measured second = candidate();
    Agree(row, checksum, first.checksum);
    Agree(row, checksum, second.checksum);
    before.push_back(first.value);
    after.push_back(second.value);
  }
  Print(row, Median(before), Median(after), checksum);
}

void Against(const Row& row, double stated, const Side& candidate) {
  const uint64_t checksum = candidate().checksum;
  std::vector<double> values;
  for (int round = 0; round < Rounds(); ++round) {
    const Measured one = candidate();
    Agree(row, checksum, one.checksum);
    values.push_back(one.value);
  }
  Print(row, stated, Median(values), checksum);
}

uint64_t InParallel(int count, const std::function<uint64_t(int)>& work) {
  std::atomic<uint64_t> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { sum += work(i); });
  for (auto& thread : threads) thread.join();
  return sum;
}

}  // namespace bench
