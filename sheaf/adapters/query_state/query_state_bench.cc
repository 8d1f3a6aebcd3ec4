// Triggers a second in memory: whole runs (queue, execute, finish, reset, finish_resetting) over
// many keys, on one core. Prints the rate and a checksum of the states seen.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "sheaf/adapters/query_state/memory_query_state.h"

int main() {
  using namespace sheaf;
  using query_state::Trigger;
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  const bool smoke = size != nullptr && std::string(size) == "smoke";
  const int rounds = smoke ? 2 : 20;
  constexpr int kKeys = 20'000;
  time::SystemClock clock;
  auto store = query_state::MakeMemoryQueryState(clock);
  const std::string owner(32, 'o');
  std::vector<query_state::Step> steps(kKeys);
  for (int i = 0; i < kKeys; ++i) {
    steps[i].key = core::ToHex("identity" + std::to_string(100'000 + i) + "of some command");
    steps[i].owner = owner;
  }
  uint64_t checksum = 0, triggers = 0;
  const std::clock_t start = std::clock();  // Processor time: other processes do not count.
  for (int round = 0; round < rounds; ++round) {
    for (const Trigger trigger : {Trigger::kQueue, Trigger::kExecute, Trigger::kFinish,
                                  Trigger::kReset, Trigger::kFinishResetting}) {
      for (auto& step : steps) {
        step.trigger = trigger;
        auto outcome = store->Apply(step);
        SHEAF_CHECK(outcome.ok() && outcome->changed);
        step.epoch = outcome->record.epoch;
        checksum = checksum * 31 + static_cast<uint64_t>(outcome->record.state);
        ++triggers;
      }
    }
  }
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("query_state memory: %.2f M triggers a second of one core, %llu triggers, "
              "checksum %016llx\n",
              static_cast<double>(triggers) / took / 1e6,
              static_cast<unsigned long long>(triggers),
              static_cast<unsigned long long>(checksum));
  return 0;
}
