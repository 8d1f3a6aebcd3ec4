// The suite every cluster runs; see INSTANTIATE_TEST_SUITE_P in the adapters' tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>

#include "sheaf/ports/cluster/cluster.h"
#include "sheaf/ports/cluster/faulty_cluster.h"

namespace sheaf::cluster {

struct ContractSetup {
  size_t entries_max = 100'000;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<Cluster>(const NodeId& self, Clock&, const ContractSetup&)> open;
  // Deviations, printed at the end of the run.
  bool survives_reopen = true;  // memory: no
  bool shared = true;           // between nodes; memory: no
  int faults_in_ten = 0;        // Writes that the fault decorator spoils.
};
std::ostream& operator<<(std::ostream& out, const Backend& backend);

class ClusterContract : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { Open({}); }
  static void TearDownTestSuite();
  void Open(const ContractSetup& setup);

  // A write, made again when it was refused. When its answer was lost the write stands: again it
  // may find its own work, which `settled` kinds say (kNotFound of a Drop, for one).
  Result<Revision> Write(const std::function<Result<Revision>()>& write,
                         std::initializer_list<Kind> settled = {});
  Result<Revision> Commit(std::initializer_list<std::string> path, uint64_t generation,
                          CatalogEntry entry = {});
  Result<Revision> Drop(std::initializer_list<std::string> path, uint64_t generation);
  std::vector<std::string> List(std::initializer_list<std::string> prefix,
                                std::initializer_list<std::string> after = {}, size_t limit = 1000);

  Catalog& catalog() { return front_->catalog(); }
  Services& services() { return front_->services(); }
  Membership& membership() { return front_->membership(); }

  const NodeId self_{"node0"};
  ManualClock clock_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Cluster> decorator_;
  Cluster* front_ = nullptr;
  std::mt19937_64 random_;
};

}  // namespace sheaf::cluster
