// The store's contract over memory alone, memory and disk, and behind faults; and the faults.
#include "sheaf/adapters/store/local_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "sheaf/ports/store/contract/contract.h"
#include "sheaf/ports/store/faulty_store.h"
#include "testkit/batches.h"
#include "testkit/temporary.h"

namespace sheaf::store {
namespace {

using contract::Backend;
using contract::P;
using contract::StoreContract;
using contract::World;
using contract::WorldOptions;

class LocalWorld : public World {
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

// Every second call that may be tried again fails at first.
class FaultyWorld final : public LocalWorld {
 public:
  explicit FaultyWorld(const WorldOptions& options)
      : LocalWorld(options, Disk::kHas), faulty_(MakeFaulty()) {}
  Store& store() override { return *faulty_; }
  void Reopen() override {
    faulty_.reset();
    LocalWorld::Reopen();
    faulty_ = MakeFaulty();
  }

 private:
  std::unique_ptr<FaultyStore> MakeFaulty() {
    return std::make_unique<FaultyStore>(LocalWorld::store(), [this](std::string_view call) {
      static const std::set<std::string_view> kAgain = {"OpenWriter", "Drop", "Pin", "Touch"};
      return kAgain.contains(call) && ++calls_ % 2 == 1 ? Fault::kRefuse : Fault::kNone;
    });
  }
  std::atomic<int> calls_{0};
  std::unique_ptr<FaultyStore> faulty_;
};

template <typename Made, LocalWorld::Disk... kDisk>
std::unique_ptr<World> Make(const WorldOptions& options) {
  return std::make_unique<Made>(options, kDisk...);
}

INSTANTIATE_TEST_SUITE_P(
    Disk, StoreContract,
    testing::Values(Backend{.name = "disk", .open = Make<LocalWorld, LocalWorld::Disk::kHas>}));
INSTANTIATE_TEST_SUITE_P(
    Memory, StoreContract,
    testing::Values(Backend{.name = "memory", .open = Make<LocalWorld, LocalWorld::Disk::kNone>,
                            .disk_survives_reopen = false, .spills = false}));
INSTANTIATE_TEST_SUITE_P(Faulty, StoreContract,
                         testing::Values(Backend{.name = "faulty", .open = Make<FaultyWorld>,
                                                 .answers_at_once = false}));

class FaultyStoreTest : public testing::Test {
 protected:
  LocalWorld world_{{}, LocalWorld::Disk::kHas};
  Fault fault_ = Fault::kNone;
  std::string at_;
  FaultyStore store_{world_.store(), [this](std::string_view call) {
                       return call == at_ ? fault_ : Fault::kNone;
                     }};
  WriterOptions Numbers() const {
    WriterOptions options;
    options.schema = testkit::NumbersSchema();
    return options;
  }
};

TEST_F(FaultyStoreTest, LateCommitIsDoneAndSaysUnknown) {
  at_ = "Commit";
  fault_ = Fault::kApplyThenTimeout;
  auto writer = store_.OpenWriter(Numbers()).value();
  ASSERT_TRUE(writer->Write(0, testkit::Numbers(0, 10)).ok());
  const auto committed = writer->Commit({{contract::To(P({"a"})), {}}}, nullptr);
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().kind, Kind::kDeadline);
  EXPECT_EQ(committed.error().effect, Effect::kUnknown);
  EXPECT_TRUE(store_.Lookup(P({"a"})).has_value());
}

TEST_F(FaultyStoreTest, RefusedCommitLeavesNothingAndTellsFollowers) {
  at_ = "Commit";
  fault_ = Fault::kRefuse;
  auto writer = store_.OpenWriter(Numbers()).value();
  const FlightPtr flight = writer->flight();
  const auto committed = writer->Commit({{contract::To(P({"a"})), {}}}, nullptr);
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().effect, Effect::kNone);
  EXPECT_FALSE(store_.Lookup(P({"a"})).has_value());
  EXPECT_EQ(flight->outcome().error().message, "injected");
}

}  // namespace
}  // namespace sheaf::store
