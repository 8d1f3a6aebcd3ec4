// The jobs of a real cluster (tests/data/ducc_workload.tsv), and work items made up from what is
// known of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct WorkloadJob {
  std::string suite, file, user, class_name;
  int32_t threads = 1, memory_gb = 0, machines = 1;
  int64_t submitted_ms = 0, items = 0, sum_ms = 0, min_ms = 0, median_ms = 0, max_ms = 0;
};

// All of them by time of submission; a smoke size has every tenth with a fiftieth of its items.
// Ends the program when the file is not what it should be.
std::vector<WorkloadJob> ReadWorkload(const std::string& path);

// As many times as the job has items, in random order: one is the least, one the greatest, half of
// them are at most the median, and they add up to the sum if any such numbers do. The same seed
// gives the same times.
std::vector<int64_t> MakeItems(const WorkloadJob& job, uint64_t seed);

}  // namespace bench
