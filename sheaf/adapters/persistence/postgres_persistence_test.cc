// PLAN  who acquires at once gets an epoch of his own, and each scope its own checkpoint · a first
//       start of several at once is one schema · nothing is lost to a compaction beside · two
//       scopes that save the same work both have it · texts with a NUL are refused and nothing is
//       kept · keys are sorted as bytes whatever the collation · UUIDs are native · sessions are
//       bounded · damage is found, a clear that fails undoes all · a later schema is refused · a
//       server that is killed under load keeps what was acknowledged, and is found again
#include "sheaf/adapters/persistence/postgres_persistence.h"

#include <atomic>
#include <set>
#include <thread>

#include "sheaf/adapters/persistence/postgres_test.h"
#include "sheaf/adapters/persistence/sql_schema.h"

namespace sheaf::persistence {
namespace {

TEST_F(PostgresPersistenceTest, WhoAcquiresAtOnceGetsAnEpochOfHisOwn) {
  Open();
  SqlPersistence other = TryOpen().value();
  constexpr int kEach = 60;
  std::vector<uint64_t> numbers[4];
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Fencing& fencing = t % 2 == 0 ? *opened_.parts.fencing : *other.parts.fencing;
      for (int i = 0; i < kEach; ++i) {
        // Now and then a scope that nobody has begun yet.
        const std::string scope = i % 3 == 0 ? "node/fresh" + std::to_string(i) : "node/n";
        const auto epoch = fencing.Acquire(scope, "x");
        EXPECT_TRUE(epoch.ok()) << epoch.error().message;
        if (i % 3 != 0) numbers[t].push_back(epoch->number);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const auto& each : numbers) all.insert(each.begin(), each.end());
  EXPECT_EQ(all.size(), 4u * kEach * 2 / 3);
  auto behind = Behind();
  EXPECT_EQ(Number(*behind, Sql("select count(*) from sheaf_scope")), 21);
  EXPECT_EQ(Number(*behind, Sql("select count(distinct slot) from sheaf_scope")), 21);
}

TEST_F(PostgresPersistenceTest, AFirstStartOfSeveralAtOnceIsOneSchema) {
  std::vector<std::thread> threads;
  std::atomic<int> opened{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto mine = TryOpen();
      EXPECT_TRUE(mine.ok()) << mine.error().message;
      ++opened;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(opened, 4);
  EXPECT_EQ(Number(*Behind(), Sql("select count(*) from sheaf_schema where name='version'")), 1);
}

TEST_F(PostgresPersistenceTest, NothingIsLostToACompactionBeside) {
  Executor background({.name = "compact", .threads_max = 2});
  Open({.generations_kept = 2, .chain_bytes_max = 500}, &background);
  const Epoch epoch = Started();
  LiveWork want;
  for (int64_t i = 0; i < 400; ++i) {
    const ChangeSet change{{{i, std::to_string(i)}}, {i - 20}, {}, {}};
    ASSERT_TRUE(history().Change(epoch, change).ok());
    ApplyChange(change, want);
  }
  background.Stop();
  const auto restored = history().Restore(Acquire(), RestoreMode::kWarm).value();
  EXPECT_EQ(restored.live, want);
  EXPECT_TRUE(restored.set_aside.empty());
  EXPECT_GT(restored.generation, 5u);
  EXPECT_LE(Number(*Behind(), Sql("select count(*) from sheaf_generation")), 2);
}

TEST_F(PostgresPersistenceTest, TwoScopesThatSaveTheSameWorkBothHaveIt) {
  Open();
  const Epoch one = Acquire("node/one"), two = Acquire("node/two");
  std::atomic<int> fresh{0}, already{0};
  const auto save = [&](const Epoch& epoch, bool descending) {
    for (int64_t i = 0; i < 60; ++i) {
      // In the other order, so that each holds what the other wants.
      std::vector<Work> works = {MakeJob(2 * i), MakeJob(2 * i + 1)};
      if (descending) std::swap(works[0], works[1]);
      const auto saved = history().Save(epoch, works);
      ASSERT_TRUE(saved.ok()) << saved.error().message;
      for (const Saved each : *saved) ++(each == Saved::kNew ? fresh : already);
    }
  };
  std::thread other([&] { save(two, true); });
  save(one, false);
  other.join();
  EXPECT_EQ(fresh, 120);
  EXPECT_EQ(already, 120);
  EXPECT_TRUE(Verify(*opened_.store)->empty());
}

TEST_F(PostgresPersistenceTest, TextWithANulIsRefusedAndNothingIsKept) {
  Open();
  const Epoch epoch = Acquire();
  Work work = MakeJob(1);
  work.job->Set<"class">(std::string("a\0b", 3));
  const std::vector<Work> works = {MakeJob(2), work};
  const auto refused = history().Save(epoch, works);
  EXPECT_EQ(KindOf(refused), Kind::kInvalid);
  EXPECT_NE(refused.error().message.find("NUL"), std::string::npos);
  EXPECT_EQ(KindOf(history().Get(WorkType::kJob, 2)), Kind::kNotFound);
  work = MakeJob(1);
  work.detail = std::string("a\0b", 3);  // Of the document, which can say it.
  const std::vector<Work> fine = {work};
  ASSERT_TRUE(history().Save(epoch, fine).ok());
  EXPECT_EQ(history().Get(WorkType::kJob, 1).value(), work);
}

TEST_F(PostgresPersistenceTest, KeysAreSortedAsBytesWhateverTheCollation) {
  Open();
  const std::vector<Node> nodes = {MakeNode("b", 1), MakeNode("A", 1), MakeNode("B", 1),
                                   MakeNode("a", 1)};
  ASSERT_TRUE(resources().PutNodes(Acquire(), nodes).ok());
  std::vector<std::string> names;
  const Resources all = resources().Read().value();
  for (const Node& node : all.nodes) names.push_back(node.Get<"name">());
  EXPECT_EQ(names, (std::vector<std::string>{"A", "B", "a", "b"}));
  // The database itself would say otherwise, or this test shows nothing.
  EXPECT_EQ(Number(*Behind(), Sql("select count(*) from rmnodes where name<'B'")), 3);
}

TEST_F(PostgresPersistenceTest, UuidsAreNative) {
  Open();
  const Epoch epoch = Acquire();
  const std::vector<Node> nodes = {MakeNode("n", 4)};
  ASSERT_TRUE(resources().PutNodes(epoch, nodes).ok());
  ASSERT_TRUE(resources().AddShare(epoch, MakeShare("n", 7, 1, 1)).ok());
  const Sql native(
      "select count(*) from rmshares where "
      "uuid='07070707-0707-0707-0707-070707070707'::uuid");
  EXPECT_EQ(Number(*Behind(), native), 1);
}

TEST_F(PostgresPersistenceTest, SessionsAreBounded) {
  opened_ = OpenPostgres({.connect = {.url = url_},
                          .sessions_max = 1,
                          .session_wait = std::chrono::milliseconds(20)},
                         RealSurroundings())
                .value();
  const Status done = opened_.store->Write([&](SqlSession&) -> Status {
    EXPECT_EQ(KindOf(history().Newest(WorkType::kJob, 1)), Kind::kBackpressure);
    return Done();
  });
  EXPECT_TRUE(done.ok());
  EXPECT_TRUE(history().Newest(WorkType::kJob, 1).ok());
}

TEST_F(PostgresPersistenceTest, DamageIsFound) {
  Open();
  const Epoch epoch = Started();
  for (int64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(history().Change(epoch, {{{i, "x"}}, {}, {}, {}}).ok());
  }
  const std::vector<Work> works = {MakeJob(1), MakeJob(2)};
  ASSERT_TRUE(history().Save(epoch, works).ok());
  auto behind = Behind();
  ASSERT_TRUE(behind
                  ->Run(Sql("update sheaf_change set body=set_byte(body, 9, 0) where number="
                            "(select max(number) from sheaf_change)"))
                  .ok());
  ASSERT_TRUE(behind->Run(Sql("update jobs set class='other' where ducc_id=1")).ok());
  ASSERT_TRUE(behind->Run(Sql("delete from processes where ducc_id=2")).ok());
  EXPECT_EQ(Verify(*opened_.store)->size(), 2u);
  const auto restored = history().Restore(Acquire(), RestoreMode::kWarm).value();
  EXPECT_EQ(restored.live.items.size(), 2u);
  EXPECT_EQ(restored.set_aside.size(), 1u);
}

TEST_F(PostgresPersistenceTest, AClearThatFailsUndoesAll) {
  Open();
  const Epoch epoch = Acquire();
  Resources all;
  all.nodes.push_back(MakeNode("n", 4));
  all.shares.push_back(MakeShare("n", 1, 1, 1));
  ASSERT_TRUE(resources().Begin(epoch, all).ok());
  const Resources before = resources().Read().value();
  auto behind = Behind();
  ASSERT_TRUE(behind
                  ->Run(Sql("create function no() returns trigger language plpgsql as "
                            "'begin raise exception ''no''; end'"))
                  .ok());
  ASSERT_TRUE(behind
                  ->Run(Sql("create trigger stop before delete on rmnodes "
                            "for each row execute function no()"))
                  .ok());
  EXPECT_EQ(KindOf(resources().Begin(epoch, {})), Kind::kFailed);
  EXPECT_EQ(resources().Read().value(), before);
}

TEST_F(PostgresPersistenceTest, ALaterSchemaIsRefusedWithBothVersionsNamed) {
  Open();
  opened_ = {};
  auto behind = Behind();
  ASSERT_TRUE(behind->Run(Sql("update sheaf_schema set value='7' where name='version'")).ok());
  const auto refused = TryOpen();
  EXPECT_EQ(KindOf(refused), Kind::kUnsupported);
  EXPECT_NE(refused.error().message.find("version 7"), std::string::npos);
  EXPECT_NE(refused.error().message.find("version " + std::to_string(kSchemaVersion)),
            std::string::npos);
  EXPECT_NE(refused.error().message.find(behind->where()), std::string::npos);
}

TEST_F(PostgresPersistenceTest, AServerKilledUnderLoadKeepsWhatWasAcknowledged) {
  testkit::Postgres server;
  opened_ = OpenPostgres({.connect = {.url = server.FreshUrl()}}, RealSurroundings()).value();
  const Epoch epoch = Acquire();
  std::set<int64_t> acknowledged[3];
  std::atomic<int> unsure{0}, saves{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> writers;
  for (int64_t w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      for (int64_t id = w; !over; id += 3) {
        const std::vector<Work> works = {MakeJob(id)};
        const auto saved = history().Save(epoch, works);
        if (saved.ok()) {
          acknowledged[w].insert(id);
          ++saves;
        } else {
          EXPECT_EQ(saved.error().kind, Kind::kDependency) << saved.error().message;
          unsure += saved.error().effect == Effect::kUnknown ? 1 : 0;
        }
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    const int until = saves + 50;
    while (saves < until) std::this_thread::yield();
    server.Kill();
    server.Start();
  }
  const int until = saves + 50;  // All are back at work.
  while (saves < until) std::this_thread::yield();
  over = true;
  for (auto& writer : writers) writer.join();
  std::set<int64_t> found;
  const auto newest = history().Newest(WorkType::kJob, 1'000'000).value();
  for (const Work& work : newest) found.insert(work.id);
  for (const auto& each : acknowledged) {
    for (const int64_t id : each) EXPECT_TRUE(found.contains(id)) << id;
  }
  EXPECT_TRUE(Verify(*opened_.store)->empty());
  std::cout << "three crashes: " << saves << " saves acknowledged and there, " << unsure
            << " unsure\n";
}

}  // namespace
}  // namespace sheaf::persistence
