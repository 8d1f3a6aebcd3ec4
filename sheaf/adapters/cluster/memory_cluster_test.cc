// PLAN  the contract, alone and behind faults · schemas are forgotten with their last user
//       · lookups and lists run beside commits and drops
#include "sheaf/adapters/cluster/memory_cluster.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "sheaf/adapters/cluster/schemas.h"
#include "sheaf/ports/cluster/contract/cluster_contract.h"

namespace sheaf::cluster {
namespace {

std::unique_ptr<Cluster> Open(const NodeId& self, Clock& clock, const ContractSetup& setup) {
  return MakeMemoryCluster(self, clock, {.entries_max = setup.entries_max});
}

INSTANTIATE_TEST_SUITE_P(
    Memory, ClusterContract,
    testing::Values(Backend{
        .name = "memory", .open = Open, .survives_reopen = false, .shared = false}));
INSTANTIATE_TEST_SUITE_P(FaultyMemory, ClusterContract,
                         testing::Values(Backend{.name = "faulty memory",
                                                 .open = Open,
                                                 .survives_reopen = false,
                                                 .shared = false,
                                                 .faults_in_ten = 4}));

TEST(SchemasTest, ASchemaIsForgottenWithItsLastUser) {
  Schemas schemas;
  for (int i = 0; i < 5000; ++i) {
    const Schema one =
        schemas.Intern(arrow::schema({arrow::field("c" + std::to_string(i), arrow::int64())}));
  }
  EXPECT_LE(schemas.size(), 1024u);
}

TEST(SchemasTest, ListsAndDictionariesAreToldApart) {
  Schemas schemas;
  const auto of = [](std::shared_ptr<arrow::DataType> type) {
    return arrow::schema({arrow::field("a", std::move(type))});
  };
  const Schema list = schemas.Intern(of(arrow::list(arrow::int64())));
  EXPECT_EQ(schemas.Intern(of(arrow::list(arrow::int64()))), list);
  EXPECT_NE(schemas.Intern(of(arrow::list(arrow::int32()))), list);
  EXPECT_NE(schemas.Intern(of(arrow::dictionary(arrow::int32(), arrow::utf8()))), list);
}

TEST(MemoryClusterTest, LookupsAndListsRunBesideWrites) {
  ManualClock clock;
  auto cluster = MakeMemoryCluster({"node0"}, clock);
  Catalog& catalog = cluster->catalog();
  const auto path = [](int i) { return *Path::Make({"p", std::to_string(i % 50)}); };
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      for (int i = 0; i < 50; ++i) {
        if (const auto found = catalog.Lookup(path(i))) {
          ASSERT_EQ(found->rows, static_cast<int64_t>(found->generation));
        }
      }
      for (const auto& [at, entry] : catalog.List({}, {}, 100)) {
        ASSERT_EQ(entry.rows, static_cast<int64_t>(entry.generation));
      }
    }
  });
  for (int i = 1; i < 20'000; ++i) {
    const auto generation = static_cast<uint64_t>(i);
    ASSERT_TRUE(catalog.Commit(path(i), {.generation = generation, .rows = i}).ok());
    if (i % 3 != 0) continue;
    ASSERT_TRUE(catalog.Drop(path(i), generation).ok());
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace sheaf::cluster
