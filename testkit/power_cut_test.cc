// PLAN  unsynced bytes and entries are lost · synced ones stay · a rename counts with its directory
//       · a published file is old or new at every point · an SQLite database survives every point
#include "testkit/power_cut.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sheaf/drivers/files/files.h"
#include "sheaf/drivers/sqlite/sqlite.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace testkit {
namespace {

using sheaf::files::Piece;

std::string Found(const std::string& path) {
  if (!std::filesystem::exists(path)) return "(absent)";
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Desk {
  TemporaryDirectory directory;
  PowerCutDisk disk{directory.path()};
  PowerCutFiles files{disk};

  std::string At(const std::string& name) const { return directory.path() + "/" + name; }
  std::string After(const std::string& name, Survival survival, uint64_t seed = 0) {
    TemporaryDirectory left;
    disk.Survive(left.path() + "/left", survival, seed);
    return Found(left.path() + "/left/" + name);
  }
};

sheaf::Status Append(sheaf::files::File& file, std::string_view text) {
  const Piece piece{text.data(), text.size()};
  return file.Append({&piece, 1});
}

TEST(PowerCutTest, OnlyWhatWasSyncedSurvives) {
  Desk desk;
  auto file = desk.files.Create(desk.At("a")).value();
  ASSERT_TRUE(Append(*file, "one").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(desk.After("a", Survival::kSynced), "(absent)");  // Its entry was not synced.
  EXPECT_EQ(desk.After("a", Survival::kEverything), "one");
  ASSERT_TRUE(desk.files.SyncDirectory(desk.directory.path()).ok());
  ASSERT_TRUE(Append(*file, "two").ok());
  EXPECT_EQ(desk.After("a", Survival::kSynced), "one");
  EXPECT_EQ(desk.After("a", Survival::kEverything), "onetwo");
  ASSERT_TRUE(desk.files.Rename(desk.At("a"), desk.At("b")).ok());
  EXPECT_EQ(desk.After("a", Survival::kSynced), "one");
  EXPECT_EQ(desk.After("b", Survival::kEverything), "onetwo");
  ASSERT_TRUE(desk.files.SyncDirectory(desk.directory.path()).ok());
  EXPECT_EQ(desk.After("a", Survival::kSynced), "(absent)");
  EXPECT_EQ(desk.After("b", Survival::kSynced), "one");
}

TEST(PowerCutTest, NothingHappensAfterTheCut) {
  Desk desk;
  desk.disk.CutAt(2);
  auto file = desk.files.Create(desk.At("a")).value();
  EXPECT_FALSE(Append(*file, "one").ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(desk.files.Remove(desk.At("a")).ok());
  EXPECT_TRUE(desk.disk.off());
  EXPECT_EQ(desk.disk.points(), 2u);
}

TEST(PowerCutTest, PublishedFileIsOldOrNewAtEveryPoint) {
  for (uint64_t cut = 1;; ++cut) {
    Desk desk;
    ASSERT_TRUE(sheaf::files::Publish(desk.files, desk.At("a"), "old").ok());
    desk.disk.CutAt(desk.disk.points() + cut);
    const bool published = sheaf::files::Publish(desk.files, desk.At("a"), "new").ok();
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const std::string found = desk.After("a", Survival::kRandom, seed);
      EXPECT_TRUE(found == "new" || (!published && found == "old")) << found << " at " << cut;
    }
    if (published) break;
    ASSERT_LT(cut, 20u);
  }
}

// A counter and a table that must agree, changed in transactions.
sheaf::Status RunTransactions(Desk& desk, sheaf::sqlite::Database& database,
                              int64_t& acknowledged) {
  SHEAF_TRY(database.Run("pragma locking_mode = exclusive"));
  SHEAF_TRY(database.Run("pragma journal_mode = wal"));
  // The change to a write-ahead log removes a journal and does not sync the directory: without
  // this the journal may come back and roll back what the log committed.
  SHEAF_TRY(desk.files.SyncDirectory(desk.directory.path()));
  SHEAF_TRY(database.Run("pragma wal_autocheckpoint = 4"));
  SHEAF_TRY(database.Script("create table if not exists t(n integer, filler text)"));
  for (int64_t i = 1; i <= 8; ++i) {
    SHEAF_ASSIGN(auto transaction, sheaf::sqlite::Transaction::Begin(database));
    SHEAF_TRY(database.Run("insert into t values(?, hex(zeroblob(3000)))", {2 * i}));
    SHEAF_TRY(database.Run("insert into t values(?, hex(zeroblob(3000)))", {2 * i + 1}));
    SHEAF_TRY(transaction.Commit());
    acknowledged = i;
  }
  return sheaf::Done();
}

TEST(PowerCutTest, SqliteDatabaseSurvivesEveryPoint) {
  uint64_t cut = 1;
  for (bool whole = false; !whole; ++cut) {
    Desk desk;
    PowerCutVfs vfs(desk.disk);
    int64_t acknowledged = 0;
    const auto open = [&] {
      return sheaf::sqlite::Database::Open({.path = desk.At("d"), .vfs = vfs.name()});
    };
    ASSERT_TRUE(open().value()->Script("create table u(a)").ok());
    ASSERT_TRUE(desk.files.SyncDirectory(desk.directory.path()).ok());
    desk.disk.CutAt(desk.disk.points() + cut);
    if (auto database = open(); database.ok()) {
      whole = RunTransactions(desk, **database, acknowledged).ok();
    }
    for (uint64_t seed = 0; seed < 3; ++seed) {
      TemporaryDirectory left;
      desk.disk.Survive(left.path() + "/left", Survival::kRandom, seed);
      auto database = sheaf::sqlite::Database::Open({.path = left.path() + "/left/d"}).value();
      ASSERT_TRUE(database->Script("create table if not exists t(n integer, filler text)").ok());
      auto rows = database->Query("select count(*) from t").value();
      ASSERT_TRUE(rows.Next().value());
      EXPECT_GE(rows.Integer(0), 2 * acknowledged) << "cut at " << cut << ", seed " << seed;
      EXPECT_EQ(rows.Integer(0) % 2, 0) << "cut at " << cut << ", seed " << seed;
    }
    ASSERT_LT(cut, 1000u);
  }
  std::cout << "power was cut at " << cut << " points\n";
}

}  // namespace
}  // namespace testkit
