// The suite every store of query states runs; see INSTANTIATE_TEST_SUITE_P in the adapters' tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "sheaf/ports/query_state/faulty_query_state.h"
#include "sheaf/ports/query_state/query_state.h"

namespace sheaf::query_state {

// What the suite asks of a store when it opens one.
struct ContractSetup {
  size_t records_max = 100'000;
  Duration completed_for = std::chrono::minutes(10);
  Duration failed_for = std::chrono::minutes(5);
  Duration queued_grace = std::chrono::minutes(1);
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<QueryState>(Clock&, const ContractSetup&)> open;
  // Deviations, printed at the end of the run.
  bool survives_reopen = true;  // memory: no
  bool shared = true;           // between processes; memory: no
  int faults_in_ten = 0;        // Calls that the fault decorator spoils.
};
std::ostream& operator<<(std::ostream& out, const Backend& backend);

class QueryStateContract : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { Open({}); }
  static void TearDownTestSuite();
  void Open(const ContractSetup& setup);

  // The same step again when it was refused; a look at the record when the answer was lost.
  Outcome Apply(Step step);
  Outcome Apply(std::string_view key, Trigger trigger, std::string_view owner, uint64_t epoch = 0);
  Record Get(std::string_view key);
  bool Renew(std::string_view key, std::string_view owner, uint64_t epoch);
  void Watch(std::string_view key, State seen, std::function<void(Record)> call);
  // Keys moved; an answer that was lost is made good from the states.
  void Reap();
  Status Retried(const std::function<Status()>& call);

  // Brings a key to a state and returns its record.
  Record Bring(std::string_view key, State state, std::string_view owner = "owner");

  ManualClock clock_;
  std::unique_ptr<QueryState> store_;  // The store itself.
  std::unique_ptr<QueryState> decorator_;
  QueryState* front_ = nullptr;  // What the tests talk to.
  std::mutex random_mutex_;
  std::mt19937_64 random_;
};

}  // namespace sheaf::query_state
