// PLAN  a generation is seen whole or not at all · node counters are their shares' count · a late
//       update brings no share back · flags are only ever set · the load of a scope is replaced ·
//       scopes keep to their own · a machine is found by name · a stale epoch changes nothing
#include <algorithm>
#include <atomic>
#include <thread>

#include "sheaf/ports/persistence/contract/persistence_contract.h"

namespace sheaf::persistence {

Resources ResourceContract::Read() {
  return Sure([&] { return resources().Read(); }).value();
}
Node ResourceContract::Machine(std::string_view name) {
  auto node = Sure([&] { return resources().Machine(name); });
  EXPECT_TRUE(node.ok()) << node.error().message;
  return node.ok() ? *node : Node();
}

namespace {

Load MakeLoad(int64_t job, int32_t demand) {
  return Load().Set<"job_id">(job).Set<"demand">(demand).Set<"user">("u");
}

Resources Generation(int32_t number) {
  Resources all;
  for (int i = 0; i < 20; ++i) {
    all.nodes.push_back(MakeNode("n" + std::to_string(i), number).Set<"memory">(number));
    all.shares.push_back(MakeShare("n" + std::to_string(i), i, number, 1));
  }
  all.load.push_back(MakeLoad(number, number));
  return all;
}

TEST_P(ResourceContract, AGenerationReplacesTheOneBefore) {
  if (!has_resources()) return;
  const Epoch epoch = Acquire("node/rm");
  const auto first = Sure([&] { return resources().Begin(epoch, Generation(4)); });
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto second = Sure([&] { return resources().Begin(epoch, Generation(9)); });
  if (!keeps()) return;
  EXPECT_GT(*second, *first);
  const Resources now = Read();
  ASSERT_EQ(now.nodes.size(), 20u);
  ASSERT_EQ(now.shares.size(), 20u);
  ASSERT_EQ(now.load, std::vector{MakeLoad(9, 9)});
  for (const Node& node : now.nodes) {
    EXPECT_EQ(node.Get<"memory">(), 9);
    EXPECT_EQ(node.Get<"shares_left">(), 8);
    EXPECT_EQ(node.Get<"assignments">(), 1);
  }
  EXPECT_EQ(now.shares[0], MakeShare("n0", 0, 9, 1));
}

TEST_P(ResourceContract, ReadersSeeOneGenerationWhole) {
  if (!has_resources() || !keeps() || !OnlyPlain()) return;
  const Epoch epoch = Acquire("node/rm");
  ASSERT_TRUE(resources().Begin(epoch, Generation(1)).ok());
  std::atomic<bool> over{false};
  std::atomic<int> mixed{0};
  std::thread reader([&] {
    while (!over) {
      const Resources seen = resources().Read().value();
      const int64_t number = seen.load.empty() ? -1 : seen.load[0].Get<"job_id">();
      for (const Node& node : seen.nodes) mixed += node.Get<"memory">() != number ? 1 : 0;
      for (const Share& share : seen.shares) mixed += share.Get<"job_id">() != number ? 1 : 0;
      if (seen.nodes.size() != 20 || seen.shares.size() != 20) ++mixed;
    }
  });
  for (int32_t number = 2; number < 30; ++number) {
    EXPECT_TRUE(resources().Begin(epoch, Generation(number)).ok());
  }
  over = true;
  reader.join();
  EXPECT_EQ(mixed, 0);
}

TEST_P(ResourceContract, NodeCountersAreTheirSharesCount) {
  if (!has_resources() || !keeps()) return;
  const Epoch epoch = Acquire("node/rm");
  const std::vector<Node> nodes = {MakeNode("n", 10).Set<"shares_left">(99).Set<"assignments">(5)};
  ASSERT_TRUE(Sure([&] { return resources().PutNodes(epoch, nodes); }).ok());
  const auto counters = [&] {
    const Node node = Machine("n");
    return std::vector{node.Get<"shares_left">(), node.Get<"assignments">(),
                       node.Get<"np_assignments">()};
  };
  EXPECT_EQ(counters(), (std::vector{10, 0, 0}));
  const Share share = MakeShare("n", 1, 2, 3);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Sure([&] { return resources().AddShare(epoch, share); }).ok());
  }
  EXPECT_EQ(counters(), (std::vector{7, 1, 0}));
  EXPECT_EQ(KindOf(Sure([&] { return resources().AddShare(epoch, MakeShare("n", 1, 2, 4)); })),
            Kind::kConflict);
  EXPECT_EQ(KindOf(Sure([&] { return resources().AddShare(epoch, MakeShare("m", 1, 2, 3)); })),
            Kind::kNotFound);
  ASSERT_TRUE(Sure([&] {
                return resources().AddShare(epoch, MakeShare("n", 2, 2, 0).Set<"fixed">(true));
              }).ok());
  EXPECT_EQ(counters(), (std::vector{7, 2, 1}));
  ASSERT_TRUE(Sure([&] {
                return resources().MarkShare(epoch, {"n", 1, 2}, ShareFlag::kFixed);
              }).ok());
  EXPECT_EQ(counters(), (std::vector{7, 2, 2}));
  ASSERT_TRUE(Sure([&] { return resources().PutNodes(epoch, nodes); }).ok());  // A heartbeat.
  EXPECT_EQ(counters(), (std::vector{7, 2, 2}));
  ASSERT_TRUE(Sure([&] { return resources().RemoveShare(epoch, {"n", 1, 2}); }).ok());
  EXPECT_EQ(counters(), (std::vector{10, 1, 1}));
}

TEST_P(ResourceContract, ALateUpdateBringsNoShareBack) {
  if (!has_resources() || !keeps()) return;
  const Epoch epoch = Acquire("node/rm");
  const std::vector<Node> nodes = {MakeNode("n", 10)};
  ASSERT_TRUE(Sure([&] { return resources().PutNodes(epoch, nodes); }).ok());
  ASSERT_TRUE(Sure([&] { return resources().AddShare(epoch, MakeShare("n", 1, 2, 3)); }).ok());
  const ShareKey key{"n", 1, 2};
  const ShareChange change{.state = "Running", .pid = int64_t{1} << 40};
  EXPECT_EQ(*Sure([&] { return resources().UpdateShare(epoch, key, change); }), Present::kYes);
  EXPECT_EQ(*Sure([&] { return resources().UpdateShare(epoch, key, {}); }), Present::kYes);
  const Share now = Read().shares.at(0);
  EXPECT_EQ(now.Get<"state">(), "Running");
  EXPECT_EQ(now.Get<"pid">(), int64_t{1} << 40);
  EXPECT_EQ(now.Get<"share_order">(), 3);
  const auto removed = Sure([&] { return resources().RemoveShare(epoch, key); });
  if (plain()) {
    EXPECT_EQ(*removed, Present::kYes);
  }
  EXPECT_EQ(*Sure([&] { return resources().RemoveShare(epoch, key); }), Present::kNo);
  EXPECT_EQ(*Sure([&] { return resources().UpdateShare(epoch, key, change); }), Present::kNo);
  EXPECT_EQ(*Sure([&] { return resources().MarkShare(epoch, key, ShareFlag::kPurged); }),
            Present::kNo);
  EXPECT_TRUE(Read().shares.empty());
}

TEST_P(ResourceContract, FlagsAreOnlyEverSet) {
  if (!has_resources() || !keeps()) return;
  const Epoch epoch = Acquire("node/rm");
  const std::vector<Node> nodes = {MakeNode("n", 10)};
  ASSERT_TRUE(Sure([&] { return resources().PutNodes(epoch, nodes); }).ok());
  ASSERT_TRUE(Sure([&] { return resources().AddShare(epoch, MakeShare("n", 1, 2, 3)); }).ok());
  for (const ShareFlag flag : {ShareFlag::kPurged, ShareFlag::kEvicted, ShareFlag::kPurged}) {
    EXPECT_EQ(*Sure([&] {
      return resources().MarkShare(epoch, {"n", 1, 2}, flag);
    }),
              Present::kYes);
  }
  const Share now = Read().shares.at(0);
  EXPECT_TRUE(now.Get<"purged">());
  EXPECT_TRUE(now.Get<"evicted">());
  EXPECT_FALSE(now.Get<"fixed">());
}

TEST_P(ResourceContract, TheLoadOfAScopeIsReplaced) {
  if (!has_resources() || !keeps()) return;
  const Epoch one = Acquire("node/one"), two = Acquire("node/two");
  const auto set = [&](const Epoch& epoch, std::vector<Load> load) {
    return Sure([&] { return resources().SetLoad(epoch, load); });
  };
  ASSERT_TRUE(set(one, {MakeLoad(1, 5), MakeLoad(2, 0)}).ok());
  ASSERT_TRUE(set(two, {MakeLoad(9, 1)}).ok());
  ASSERT_TRUE(set(one, {MakeLoad(2, 7)}).ok());
  EXPECT_EQ(Read().load, (std::vector{MakeLoad(2, 7), MakeLoad(9, 1)}));
  EXPECT_EQ(KindOf(set(one, {MakeLoad(9, 1)})), Kind::kConflict);
  EXPECT_EQ(Read().load.size(), 2u);
}

TEST_P(ResourceContract, ScopesKeepToTheirOwn) {
  if (!has_resources() || !keeps()) return;
  const Epoch one = Acquire("node/one"), two = Acquire("node/two");
  const std::vector<Node> a = {MakeNode("a", 4)}, b = {MakeNode("b", 4)};
  ASSERT_TRUE(Sure([&] { return resources().PutNodes(one, a); }).ok());
  ASSERT_TRUE(Sure([&] { return resources().PutNodes(two, b); }).ok());
  EXPECT_EQ(KindOf(Sure([&] { return resources().PutNodes(two, a); })), Kind::kConflict);
  EXPECT_EQ(KindOf(Sure([&] { return resources().AddShare(two, MakeShare("a", 1, 1, 1)); })),
            Kind::kConflict);
  ASSERT_TRUE(Sure([&] { return resources().AddShare(two, MakeShare("b", 1, 1, 1)); }).ok());
  EXPECT_EQ(KindOf(Sure([&] {
              return resources().RemoveShare(one, {"b", 1, 1});
            })),
            Kind::kConflict);
  ASSERT_TRUE(Sure([&] { return resources().Begin(one, {}); }).ok());
  EXPECT_EQ(Read().nodes.size(), 1u);
  EXPECT_EQ(Read().shares.size(), 1u);
  EXPECT_EQ(KindOf(Sure([&] { return resources().Machine("a"); })), Kind::kNotFound);
  EXPECT_EQ(Machine("b").Get<"shares_left">(), 3);
}

TEST_P(ResourceContract, AStaleEpochChangesNothing) {
  if (!has_resources() || !keeps()) return;
  const Epoch stale = Acquire("node/rm");
  const Epoch present = Acquire("node/rm");
  ASSERT_TRUE(Sure([&] { return resources().Begin(present, Generation(3)); }).ok());
  const Resources before = Read();
  const std::vector<Node> nodes = {MakeNode("new", 1)};
  const ShareKey key{"n0", 0, 3};
  EXPECT_TRUE(LostOwnership(Sure([&] { return resources().Begin(stale, {}); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return resources().PutNodes(stale, nodes); })));
  EXPECT_TRUE(
      LostOwnership(Sure([&] { return resources().AddShare(stale, MakeShare("n0", 5, 5, 1)); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return resources().UpdateShare(stale, key, {}); })));
  EXPECT_TRUE(
      LostOwnership(Sure([&] { return resources().MarkShare(stale, key, ShareFlag::kFixed); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return resources().RemoveShare(stale, key); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return resources().SetLoad(stale, {}); })));
  EXPECT_EQ(Read(), before);
}

TEST_P(ResourceContract, ResourcesSurviveARestart) {
  if (!has_resources() || !survives_reopen()) return;
  const Epoch epoch = Acquire("node/rm");
  ASSERT_TRUE(Sure([&] { return resources().Begin(epoch, Generation(3)); }).ok());
  const Resources before = Read();
  Reopen();
  EXPECT_EQ(Read(), before);
}

}  // namespace
}  // namespace sheaf::persistence
