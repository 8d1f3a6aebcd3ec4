#include "bench/workload.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

#include "bench/measure.h"
#include "sheaf/base/core/check.h"

namespace bench {
namespace {

// `count` times in [least, most] that add up to `total`, or as near as that allows.
void Fill(std::vector<int64_t>& times, int64_t count, int64_t least, int64_t most, int64_t total,
          std::mt19937_64& random) {
  if (count <= 0) return;
  const auto range = static_cast<double>(most - least);
  const double above = std::max(static_cast<double>(total) / static_cast<double>(count) -
                                    static_cast<double>(least), 0.5);
  const double power = std::max(range / above - 1, 0.0);  // The mean of u^power is 1/(power+1).
  std::uniform_real_distribution<double> uniform;
  const size_t first = times.size();
  int64_t left = total;
  for (int64_t i = 0; i < count; ++i) {
    times.push_back(least + static_cast<int64_t>(range * std::pow(uniform(random), power)));
    left -= times.back();
  }
  for (size_t i = first; i < times.size() && left != 0; ++i) {
    const auto share = left / static_cast<int64_t>(times.size() - i);
    const int64_t fair = share == 0 ? left : share;
    const int64_t wanted = std::clamp(times[i] + fair, least, most);
    left -= wanted - times[i];
    times[i] = wanted;
  }
}

}  // namespace

std::vector<WorkloadJob> ReadWorkload(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  SHEAF_CHECK(static_cast<bool>(std::getline(file, line)));
  std::vector<WorkloadJob> jobs;
  for (size_t number = 0; std::getline(file, line); ++number) {
    std::vector<std::string> fields;
    std::istringstream cut(line);
    for (std::string field; std::getline(cut, field, '\t');) fields.push_back(field);
    SHEAF_CHECK(fields.size() == 13);
    const auto at = [&fields](size_t i) { return fields[i].empty() ? 1 : std::stoll(fields[i]); };
    jobs.push_back({fields[0], fields[1], fields[2], fields[3], static_cast<int32_t>(at(4)),
                    static_cast<int32_t>(at(5)), static_cast<int32_t>(at(6)), at(7), at(8), at(9),
                    at(10), at(11), at(12)});
    if (!Smoke()) continue;
    constexpr int64_t kPart = 50;
    WorkloadJob& job = jobs.back();
    if (number % 10 != 0) jobs.pop_back();
    job.sum_ms = job.sum_ms / job.items * std::max<int64_t>(job.items / kPart, 3);
    job.items = std::max<int64_t>(job.items / kPart, 3);
    job.submitted_ms /= kPart;
  }
  std::stable_sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) {
    return a.submitted_ms < b.submitted_ms;
  });
  return jobs;
}

std::vector<int64_t> MakeItems(const WorkloadJob& job, uint64_t seed) {
  std::mt19937_64 random(seed);
  if (job.items == 1) return {job.sum_ms};
  std::vector<int64_t> times = {job.min_ms, job.max_ms};
  times.reserve(static_cast<size_t>(job.items));
  const int64_t low = (job.items - 2) / 2, high = job.items - 2 - low;
  const int64_t total = job.sum_ms - job.min_ms - job.max_ms;
  const int64_t low_wanted = low * ((job.min_ms + job.median_ms) / 2);
  const int64_t high_total =
      std::clamp(total - low_wanted, high * job.median_ms, high * job.max_ms);
  Fill(times, low, job.min_ms, job.median_ms, total - high_total, random);
  Fill(times, high, job.median_ms, job.max_ms, high_total, random);
  std::shuffle(times.begin(), times.end(), random);
  return times;
}

}  // namespace bench
