// PLAN  the statements of a released version never change, on either database · the chain from
//       every released version ends where a fresh database begins · an older schema is migrated
//       at the opening after a backup, or refused with the command that does it · never under a
//       holder, unless he is fenced · a backup before a migration brings all back · what differs
//       from the version is named: tables, columns, indexes, checksums · a later schema is
//       refused, both versions named · tables of others are not taken · several who migrate at
//       once do it once
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "sheaf/adapters/persistence/sql_catalog.h"
#include "sheaf/adapters/persistence/upkeep_test.h"

namespace sheaf::persistence {
namespace {

using records::Dialect;

std::string Frozen(int64_t version, Dialect dialect) {
  const char* root = std::getenv("SHEAF_SOURCE_DIR");
  std::ifstream file(std::string(root == nullptr ? "." : root) + "/tests/data/schema_v" +
                     std::to_string(version) + "." + std::string(records::DialectName(dialect)) +
                     ".sql");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SchemaVersionTest, TheStatementsOfAReleasedVersionNeverChange) {
  for (const Dialect dialect : {Dialect::kSqlite, Dialect::kPostgres}) {
    for (int64_t version = 1; version <= kSchemaVersion; ++version) {
      std::string now;
      for (const Sql& sql : StepTo(version, dialect).statements) now += sql.text() + ";\n";
      EXPECT_EQ(now, Frozen(version, dialect))
          << "version " << version << " was released: put what is new into a version of its own";
    }
  }
}

class SchemaTest : public testing::TestWithParam<Which> {
 protected:
  void SetUp() override {
    if (GetParam() == Which::kPostgres) SHEAF_NEEDS_POSTGRES();
    place_.emplace(GetParam(), directory_.path(), "sheaf.db");
  }
  // A database as the program of that version left it. Version 1 left no notes of its steps.
  void Make(int64_t version) {
    auto opened = place_->Open(OlderSchema::kLeft).value();
    const Status made = opened.store->Write([&](SqlSession& session) -> Status {
      for (int64_t v = 1; v <= version; ++v) {
        for (const Sql& sql : StepTo(v, session.dialect()).statements) {
          SHEAF_TRY(session.Run(sql, {}));
        }
      }
      Row note(kSchemaTable);
      note.At("name") = std::string("version");
      note.At("value") = std::to_string(version);
      SHEAF_TRY(InsertRow(session, note));
      note.At("name") = std::string("table jobs");
      note.At("value") = std::string("{}");
      return version == 1 ? InsertRow(session, note) : Done();
    });
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  void Run(const Sql& sql) {
    auto opened = place_->Open(OlderSchema::kLeft).value();
    const Status done = opened.store->Write([&](SqlSession& session) -> Status {
      SHEAF_TRY(session.Run(sql, {}));
      return Done();
    });
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  Catalog Live() {
    auto opened = place_->Open(OlderSchema::kLeft).value();
    Catalog catalog;
    EXPECT_TRUE(opened.store
                    ->Read([&](SqlSession& session) -> Status {
                      SHEAF_ASSIGN(catalog, LiveCatalog(session, kSchemaVersion));
                      return Done();
                    })
                    .ok());
    return catalog;
  }
  Result<MigrationPlan> Plan() {
    return place_->Open(OlderSchema::kLeft)->parts.administration->Plan();
  }
  Result<MigrationPlan> Migrate(Holders holders = Holders::kMustBeNone) {
    return place_->Open(OlderSchema::kLeft)->parts.administration->Migrate(holders, {});
  }
  std::vector<std::string> DriftAfter(const Sql& sql) {
    Run(sql);
    return Plan()->drift;
  }

  testkit::TemporaryDirectory directory_;
  std::optional<Place> place_;
};

INSTANTIATE_TEST_SUITE_P(All, SchemaTest, testing::Values(Which::kSqlite, Which::kPostgres));

TEST_P(SchemaTest, TheChainFromEveryVersionEndsWhereAFreshDatabaseBegins) {
  ASSERT_TRUE(place_->Open().ok());
  const Catalog fresh = Live();
  EXPECT_EQ(fresh.count("table sheaf_ledger"), 1u);
  for (int64_t version = 1; version <= kSchemaVersion; ++version) {
    place_.emplace(GetParam(), directory_.path(), "from" + std::to_string(version) + ".db");
    Make(version);
    const auto plan = Plan().value();
    EXPECT_EQ(plan.present, version);
    EXPECT_EQ(plan.steps.size(), static_cast<size_t>(kSchemaVersion - version));
    const auto done = Migrate();
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->backups.size(), plan.steps.size());
    EXPECT_EQ(Live(), fresh);
    EXPECT_TRUE(place_->Open().ok());
    EXPECT_EQ(Plan()->present, kSchemaVersion);
  }
}

TEST_P(SchemaTest, AnOlderSchemaIsMigratedAfterABackupOrRefusedWithTheCommand) {
  Make(1);
  auto opened = place_->Open();
  if (GetParam() == Which::kPostgres) {
    EXPECT_EQ(KindOf(opened), Kind::kUnsupported);
    const std::string& message = opened.error().message;
    EXPECT_NE(message.find("sheaf db migrate apply"), std::string::npos) << message;
    EXPECT_NE(message.find("version 1"), std::string::npos) << message;
    EXPECT_NE(message.find("version " + std::to_string(kSchemaVersion)), std::string::npos);
    EXPECT_EQ(Plan()->present, 1);
    return;
  }
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  const auto plan = opened->parts.administration->Plan().value();
  EXPECT_EQ(plan.present, kSchemaVersion);
  EXPECT_EQ(plan.drift, std::vector<std::string>());
  int backups = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    backups += entry.path().extension() == ".backup" ? 1 : 0;
  }
  EXPECT_EQ(backups, 1);
}

TEST_P(SchemaTest, TheBackupBeforeAMigrationBringsAllBack) {
  Make(1);
  {
    auto opened = place_->Open(OlderSchema::kLeft).value();
    const Epoch epoch = opened.parts.fencing->Acquire("node/n", "n").value();
    const std::vector<Work> works = {MakeJob(1)};
    ASSERT_TRUE(opened.parts.history->Save(epoch, works).ok());
    ASSERT_TRUE(opened.parts.fencing->Release(epoch).ok());
  }
  const auto done = Migrate().value();
  auto opened = place_->Open().value();
  const std::vector<Retention> all = {{.table = "jobs", .rows_max = 0}};
  ASSERT_TRUE(opened.parts.administration->Purge(all, {}, {}).ok());
  const auto restored =
      opened.parts.administration->Restore(done.backups.at(0), Holders::kMustBeNone, {});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(restored->schema, 1);
  EXPECT_EQ(opened.parts.history->Get(WorkType::kJob, 1).value(), MakeJob(1));
  EXPECT_EQ(Plan()->drift, std::vector<std::string>());
}

TEST_P(SchemaTest, NothingIsMigratedUnderAHolderUnlessHeIsFenced) {
  Make(1);
  auto opened = place_->Open(OlderSchema::kLeft).value();
  const Epoch epoch = opened.parts.fencing->Acquire("node/n", "the holder").value();
  for (const auto& refused : {Migrate(), Migrate()}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(IsScopeHeld(refused.error()));
    EXPECT_NE(refused.error().message.find("the holder"), std::string::npos);
    EXPECT_NE(refused.error().message.find("--force"), std::string::npos);
  }
  EXPECT_FALSE(place_->Open().ok());
  EXPECT_EQ(Plan()->present, 1);
  ASSERT_TRUE(Migrate(Holders::kAreFenced).ok());
  EXPECT_EQ(Plan()->present, kSchemaVersion);
  const std::vector<Work> works = {MakeJob(1)};
  EXPECT_TRUE(LostOwnership(opened.parts.history->Save(epoch, works)));
}

TEST_P(SchemaTest, WhatDiffersFromTheVersionIsNamed) {
  using Lines = std::vector<std::string>;
  ASSERT_TRUE(place_->Open().ok());
  EXPECT_EQ(Plan()->drift, Lines());
  EXPECT_EQ(DriftAfter(Sql("create index extra on jobs(state, reason)")),
            Lines({"not of this schema: index extra on jobs(state,reason)"}));
  EXPECT_EQ(DriftAfter(Sql("drop index extra")), Lines());
  EXPECT_EQ(DriftAfter(Sql("drop index jobs_state_idx")),
            Lines({"missing: index jobs_state_idx on jobs(state)"}));
  EXPECT_EQ(DriftAfter(Sql("create index jobs_state_idx on jobs(state)")), Lines());
  Run(Sql("drop index reservations_type_idx"));
  const Lines lost = DriftAfter(Sql("alter table reservations drop column type"));
  EXPECT_EQ(lost.size(), 2u);
  EXPECT_EQ(lost[0].rfind("missing: column reservations.type text", 0), 0u) << lost[0];
  EXPECT_EQ(DriftAfter(Sql("create table nobodys (x integer)")), lost) << "what is not ours";
  EXPECT_EQ(DriftAfter(Sql("drop table sheaf_ledger")).size(), lost.size() + 6);
  const Lines changed = DriftAfter(
      Sql("update sheaf_schema set value='{\"checksum\":\"0\"}' where name='migration 2'"));
  EXPECT_EQ(changed.back().rfind("checksum: the step to version 2 was 0", 0), 0u);
}

TEST_P(SchemaTest, ALaterSchemaIsRefusedByEveryVerb) {
  ASSERT_TRUE(place_->Open().ok());
  ASSERT_TRUE(place_->Open()->parts.administration->Backup(directory_.path() + "/b", {}).ok());
  Run(Sql("update sheaf_schema set value='77' where name='version'"));
  auto left = place_->Open(OlderSchema::kLeft).value();
  Administration& administration = *left.parts.administration;
  const auto check = [](const auto& refused) {
    EXPECT_EQ(KindOf(refused), Kind::kUnsupported);
    EXPECT_NE(refused.error().message.find("version 77"), std::string::npos);
    EXPECT_NE(refused.error().message.find("version " + std::to_string(kSchemaVersion)),
              std::string::npos);
  };
  check(place_->Open());
  check(administration.Plan());
  check(administration.Migrate(Holders::kAreFenced, {}));
  check(administration.Backup(directory_.path() + "/c", {}));
  check(administration.Restore(directory_.path() + "/b", Holders::kAreFenced, {}));
}

TEST_P(SchemaTest, TablesOfOthersAreNotTaken) {
  Run(Sql("create table jobs (id integer)"));
  const auto refused = place_->Open();
  EXPECT_EQ(KindOf(refused), Kind::kInvalid);
  EXPECT_NE(refused.error().message.find("'jobs'"), std::string::npos);
  EXPECT_EQ(KindOf(Plan()), Kind::kInvalid);
  EXPECT_EQ(KindOf(place_->Open(OlderSchema::kLeft)->parts.administration->Backup("b", {})),
            Kind::kNotReady);
}

TEST_P(SchemaTest, SeveralWhoMigrateAtOnceDoItOnce) {
  Make(1);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto mine = Migrate();
      EXPECT_TRUE(mine.ok()) << mine.error().message;
      ++done;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 4);
  EXPECT_EQ(Plan()->present, kSchemaVersion);
  EXPECT_EQ(Plan()->drift, std::vector<std::string>());
}

}  // namespace
}  // namespace sheaf::persistence
