// The store's contract over memory alone, memory and disk, and behind faults.
#include "sheaf/adapters/store/local_store.h"

#include <gtest/gtest.h>

#include "sheaf/ports/store/contract/contract.h"
#include "testkit/temporary.h"

namespace sheaf::store {
namespace {

using contract::Backend;
using contract::StoreContract;
using contract::World;
using contract::WorldOptions;

class LocalWorld final : public World {
 public:
  enum class Disk : uint8_t { kNone, kHas };
  LocalWorld(const WorldOptions& options, Disk disk) : options_(options), disk_(disk) { Start(); }

  Store& store() override { return *store_; }
  ManualClock& clock() override { return clock_; }
  void Reopen() override {
    store_.reset();
    Start();
  }

 private:
  void Start() {
    LocalStoreOptions options{.clock = clock_, .log = log_, .metrics = metrics_};
    if (disk_ == Disk::kHas) options.directory = directory_.path() + "/store";
    options.memory_budget = options_.memory_budget;
    options.disk_budget = options_.disk_budget;
    auto opened = OpenLocal(options);
    SHEAF_CHECK(opened.ok());
    store_ = std::move(*opened);
  }

  const WorldOptions options_;
  const Disk disk_;
  testkit::TemporaryDirectory directory_;
  ManualClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Disk, StoreContract,
                         testing::Values(Backend{
                             .name = "disk",
                             .open = [](const WorldOptions& options) -> std::unique_ptr<World> {
                               return std::make_unique<LocalWorld>(options, LocalWorld::Disk::kHas);
                             }}));

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         testing::Values(Backend{
                             .name = "memory",
                             .open = [](const WorldOptions& options) -> std::unique_ptr<World> {
                               return std::make_unique<LocalWorld>(options,
                                                                   LocalWorld::Disk::kNone);
                             },
                             .disk_survives_reopen = false,
                             .spills = false}));

}  // namespace
}  // namespace sheaf::store
