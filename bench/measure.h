// Baseline and candidate in turn, their medians, one JSON line a row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

bool Smoke();      // SHEAF_BENCH_SIZE=smoke: small sizes, the ratios mean nothing.
double Seconds();  // Of a monotonic clock.

// What one turn of one side gave. Equal work has an equal checksum.
struct Measured {
  double value = 0;  // In the row's unit.
  uint64_t checksum = 0;
};
using Side = std::function<Measured()>;

struct Row {
  std::string bench;
  std::string unit;  // "GB/s"; with `better` kLower a time, "s".
  double bar = 1;    // Of candidate / baseline.
  enum class Better : uint8_t { kHigher, kLower } better = Better::kHigher;
};

// One turn of each to warm up, then five of each in alternation. Ends the program when the
// checksums of the sides differ.
void Compare(const Row& row, const Side& baseline, const Side& candidate);
// Against a stated figure.
void Against(const Row& row, double stated, const Side& candidate);

// The sum of what `count` threads return; thread i runs work(i).
uint64_t InParallel(int count, const std::function<uint64_t(int)>& work);

// One step of a checksum that depends on the order.
inline uint64_t Mix(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * 0x9E3779B97F4A7C15ULL;
  return sum ^ (sum >> 29);
}

}  // namespace bench
