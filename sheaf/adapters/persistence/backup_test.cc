// PLAN  random rows, private columns, extremes, empty and absent, a blob of 64 MiB go from SQLite
//       to PostgreSQL and back · what PostgreSQL cannot hold is refused and nothing changes · each
//       flipped byte and each truncation is found before anything changes · a later schema, a later
//       format are refused · what is no backup is not replaced, the database least · one snapshot
//       while others write · a full disk leaves nothing · a busy database is said · a clock that
//       steps back is no matter
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "sheaf/adapters/persistence/backup_file.h"
#include "sheaf/adapters/persistence/upkeep_test.h"
#include "sheaf/base/time/manual_clock.h"
#include "testkit/seed.h"

namespace sheaf::persistence {
namespace {

using records::Absent;
using records::Blob;
using records::Uuid;

class BackupTest : public SqlitePersistenceTest {
 protected:
  std::string File() const { return directory_.path() + "/file.backup"; }
  Administration& administration() { return *opened_.parts.administration; }
  Status Insert(const std::vector<Row>& rows) {
    return opened_.store->Write([&](SqlSession& session) -> Status {
      for (const Row& row : rows) SHEAF_TRY(InsertRow(session, row));
      return Done();
    });
  }
  static std::string ReadFile(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static void WriteFile(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
};

Value RandomValue(ColumnType type, std::mt19937_64& random) {
  const auto any = [&](auto... values) {
    const std::vector<Value> all = {Value(values)...};
    return all[random() % all.size()];
  };
  const std::string quotes = "it's \"${x}\"\n\\ \xC3\xA4\xF0\x9F\x99\x82";
  switch (type) {
    case ColumnType::kString: return any(std::string(), quotes, std::to_string(random()));
    case ColumnType::kBlob:
      return any(Blob{}, Blob{std::string("\0\xFF", 2)}, Blob{std::string(random() % 5000, 'b')});
    case ColumnType::kBoolean: return any(true, false);
    case ColumnType::kInteger:
      return any(int32_t{0}, INT32_MIN, INT32_MAX, static_cast<int32_t>(random()));
    case ColumnType::kLong:
      return any(int64_t{0}, int64_t{INT64_MIN}, int64_t{INT64_MAX},
                 static_cast<int64_t>(random()));
    case ColumnType::kDouble:
      return any(0.0, 1e308, -5e-324, std::numeric_limits<double>::infinity(), 0.1);
    case ColumnType::kUuid: {
      Uuid uuid;
      for (auto& byte : uuid.bytes) byte = static_cast<uint8_t>(random());
      return uuid;
    }
  }
  __builtin_unreachable();
}

// Keys count up, so that none is there twice.
Row RandomRow(const Table& table, int64_t number, std::mt19937_64& random) {
  Row row(table);
  for (size_t i = 0; i < table.columns(); ++i) {
    const auto& property = table.ColumnAt(i);
    if (!property.primary_key) {
      if (random() % 5 != 0) row.values[i] = RandomValue(property.type, random);
    } else if (property.type == ColumnType::kString) {
      row.values[i] = "key " + std::to_string(number);
    } else if (property.type == ColumnType::kInteger) {
      row.values[i] = static_cast<int32_t>(number);
    } else {
      row.values[i] = number;
    }
  }
  return row;
}

// Epochs grow and holders go at each restore; the rest must be equal.
Everything WithoutEpochs(Everything all) {
  for (Row& row : all.at("sheaf_scope")) {
    for (const char* changing : {"number", "holder", "start"}) row.At(changing) = Absent{};
  }
  return all;
}

TEST_F(BackupTest, RandomRowsGoFromSqliteToPostgresAndBack) {
  SHEAF_NEEDS_POSTGRES();
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Open();
  std::vector<Row> rows;
  for (const Table* table : TablesOf(kSchemaVersion)) {
    if (table->name == "sheaf_schema") continue;
    for (int64_t i = 0; i < 40; ++i) rows.push_back(RandomRow(*table, i, random));
    if (table->name != "sheaf_scope") continue;
    for (size_t i = 0; i < 40; ++i) {  // What restores count with.
      Row& scope = rows[rows.size() - 40 + i];
      scope.At("number") = static_cast<int64_t>(i);
      scope.At("slot") = static_cast<int32_t>(i);
    }
  }
  Row large(records::kSvcHistory);
  large.At("type") = std::string("large");
  large.At("ducc_id") = int64_t{1};
  large.At("work") = Blob{std::string(size_t{64} << 20, 'x')};
  rows.push_back(large);
  ASSERT_TRUE(Insert(rows).ok());
  const Everything before = WithoutEpochs(ReadAll(*opened_.store));
  ASSERT_TRUE(administration().Backup(File(), {}).ok());

  const Place there(Which::kPostgres, directory_.path(), "");
  const Place again(Which::kSqlite, directory_.path(), "again.db");
  std::string file = File();
  for (const Place* place : {&there, &again}) {
    auto opened = place->Open().value();
    const auto restored = opened.parts.administration->Restore(file, Holders::kAreFenced, {});
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    EXPECT_TRUE(WithoutEpochs(ReadAll(*opened.store)) == before);
    file = directory_.path() + "/second.backup";
    ASSERT_TRUE(opened.parts.administration->Backup(file, {}).ok());
  }
}

TEST_F(BackupTest, WhatPostgresCannotHoldIsRefusedAndNothingChanges) {
  SHEAF_NEEDS_POSTGRES();
  Open();
  Row row(records::kOrprops);
  for (size_t i = 0; i < row.values.size(); ++i) row.values[i] = std::string("a\0b", 3);
  ASSERT_TRUE(Insert({row}).ok());
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  auto there = Place(Which::kPostgres, directory_.path(), "").Open().value();
  const Epoch epoch = there.parts.fencing->Acquire("node/n", "n").value();
  const std::vector<Work> works = {MakeJob(1)};
  ASSERT_TRUE(there.parts.history->Save(epoch, works).ok());
  const auto refused = there.parts.administration->Restore(File(), Holders::kAreFenced, {});
  EXPECT_EQ(KindOf(refused), Kind::kInvalid);
  EXPECT_NE(refused.error().message.find("NUL"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(there.parts.history->Get(WorkType::kJob, 1).ok());
  ASSERT_TRUE(Place(Which::kSqlite, directory_.path(), "b.db")
                  .Open()
                  ->parts.administration->Restore(File(), Holders::kAreFenced, {})
                  .ok());
}

TEST_F(BackupTest, EachFlippedByteAndEachTruncationIsFoundBeforeAnythingChanges) {
  // The frames alone, so that each byte can be tried: a small head, a page, a tail.
  auto files = files::OpenLocalFiles();
  {
    auto writer = BackupWriter::Open(*files, File()).value();
    for (const auto& [kind, text] : {std::pair(Frame::kHead, "head"), {Frame::kPage, "a page"},
                                     {Frame::kPage, ""}, {Frame::kTail, "the tail"}}) {
      ASSERT_TRUE(writer->Write(kind, text).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  const std::string whole = ReadFile(File());
  const auto read = [&](const std::string& bytes) {
    WriteFile(File(), bytes);
    return ReadBackup(*files, File(), [](Frame, std::string_view) { return Done(); });
  };
  ASSERT_TRUE(read(whole).ok());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(read(whole.substr(0, i)).ok()) << "cut at " << i;
    for (const unsigned flip : {0x01u, 0x80u, 0xFFu}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ flip);
      EXPECT_FALSE(read(damaged).ok()) << "byte " << i;
    }
  }
  EXPECT_FALSE(read(whole + '\0').ok());
  EXPECT_FALSE(read(whole + whole).ok());
}

TEST_F(BackupTest, ADamagedBackupIsRefusedWholeAndTheDatabaseIsAsItWas) {
  Open();
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  const std::string whole = ReadFile(File());
  const std::vector<Work> works = {MakeJob(1)};
  ASSERT_TRUE(history().Save(Acquire(), works).ok());
  const Everything before = ReadAll(*opened_.store);
  // Spread over the file; BackupFile's own test tries every byte.
  for (size_t i = 0; i < whole.size(); i += 37) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    WriteFile(File(), damaged);
    const auto refused = administration().Restore(File(), Holders::kAreFenced, {});
    ASSERT_FALSE(refused.ok()) << i;
    EXPECT_NE(refused.error().message.find(File()), std::string::npos) << refused.error().message;
  }
  EXPECT_TRUE(ReadAll(*opened_.store) == before);
}

TEST_F(BackupTest, ALaterSchemaAndALaterFormatAreRefused) {
  Open();
  auto files = files::OpenLocalFiles();
  auto writer = BackupWriter::Open(*files, File()).value();
  ASSERT_TRUE(writer->Write(Frame::kHead, R"({"format":1,"schema":99,"written_ms":1})").ok());
  ASSERT_TRUE(writer->Write(Frame::kTail, R"({"rows":{}})").ok());
  ASSERT_TRUE(writer->Finish().ok());
  auto refused = administration().Restore(File(), Holders::kAreFenced, {});
  EXPECT_EQ(KindOf(refused), Kind::kUnsupported);
  EXPECT_NE(refused.error().message.find("version 99"), std::string::npos);
  EXPECT_NE(refused.error().message.find("version " + std::to_string(kSchemaVersion)),
            std::string::npos);
  std::string bytes = ReadFile(File());
  bytes[7] = '2';
  WriteFile(File(), bytes);
  refused = administration().Restore(File(), Holders::kAreFenced, {});
  EXPECT_EQ(KindOf(refused), Kind::kUnsupported);
  EXPECT_NE(refused.error().message.find("format '2'"), std::string::npos);
}

TEST_F(BackupTest, WhatIsNoBackupIsNotReplacedByOne) {
  Open();
  WriteFile(File(), "SHEAF and no backup");
  const auto refused = administration().Backup(File(), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kConflict);
  EXPECT_EQ(ReadFile(File()), "SHEAF and no backup");
  const auto itself = administration().Backup(path_, {});
  ASSERT_FALSE(itself.ok());
  EXPECT_EQ(itself.error().kind, Kind::kConflict);
  EXPECT_TRUE(administration().Verify({})->empty());
  WriteFile(File(), "");
  ASSERT_TRUE(administration().Backup(File(), {}).ok()) << "an empty file was made for it";
  WriteFile(File(), "SHEAFBK9 of a later program");
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  ASSERT_TRUE(administration().Restore(File(), Holders::kAreFenced, {}).ok());
}

TEST_F(BackupTest, ABackupIsOneInstantWhileOthersWrite) {
  Open();
  const Epoch epoch = Acquire();
  // Each transaction writes a pair; a backup of one instant holds no half of it.
  std::atomic<bool> over{false};
  std::atomic<int64_t> pairs{0};
  std::thread writer([&] {
    for (int64_t id = 1; !over; ++id) {
      const std::vector<Work> pair = {MakeJob(id), MakeReservation(id, "h")};
      ASSERT_TRUE(history().Save(epoch, pair).ok());
      pairs = id;
    }
  });
  auto other = TryOpen().value();  // As another process would.
  while (pairs < 50) std::this_thread::yield();
  const int64_t begun = pairs;
  int64_t seen = 0;
  const auto wrote = other.parts.administration->Backup(File(), [&](const Doing&) {
    if (seen == 0) seen = pairs;
    while (pairs < seen + 20) std::this_thread::yield();  // They go on writing.
    return Done();
  });
  over = true;
  writer.join();
  ASSERT_TRUE(wrote.ok()) << wrote.error().message;
  auto copy = Place(Which::kSqlite, directory_.path(), "copy.db").Open().value();
  ASSERT_TRUE(copy.parts.administration->Restore(File(), Holders::kAreFenced, {}).ok());
  const auto jobs = copy.parts.history->Newest(WorkType::kJob, 1'000'000).value();
  const auto reservations = copy.parts.history->Newest(WorkType::kReservation, 1'000'000).value();
  EXPECT_EQ(jobs.size(), reservations.size());
  EXPECT_GE(static_cast<int64_t>(jobs.size()), begun);
  EXPECT_LT(static_cast<int64_t>(jobs.size()), pairs);
  EXPECT_TRUE(copy.parts.administration->Verify({})->empty());
}

TEST_F(BackupTest, AFullDiskFailsARestoreAndKeepsWhatWasThere) {
  OpenOnDisk();
  const std::vector<Work> many = {MakeJob(1), MakeJob(2), MakeJob(3)};
  ASSERT_TRUE(history().Save(Acquire(), many).ok());
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  ASSERT_TRUE(history().Save(Acquire(), std::vector<Work>{MakeJob(4)}).ok());
  const Everything before = ReadAll(*opened_.store);
  disk_->FillUp();
  const auto refused = administration().Restore(File(), Holders::kAreFenced, {});
  EXPECT_EQ(KindOf(refused), Kind::kExhausted);
  disk_->MakeRoom();
  EXPECT_TRUE(ReadAll(*opened_.store) == before);
  ASSERT_TRUE(administration().Restore(File(), Holders::kAreFenced, {}).ok());
  EXPECT_EQ(KindOf(history().Get(WorkType::kJob, 4)), Kind::kNotFound);
}

TEST_F(BackupTest, APowerCutLeavesAWholeBackupOrNone) {
  OpenOnDisk();
  ASSERT_TRUE(history().Save(Acquire(), std::vector<Work>{MakeJob(1)}).ok());
  const uint64_t begun = disk_->points();
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  const uint64_t ended = disk_->points();
  EXPECT_GT(ended, begun);
  opened_ = {};
  for (uint64_t point = 1; point <= ended - begun; ++point) {
    testkit::TemporaryDirectory directory;
    testkit::PowerCutDisk disk(directory.path());
    testkit::PowerCutFiles files(disk);
    testkit::PowerCutVfs vfs(disk);
    auto opened = OpenSqlite({.path = directory.path() + "/sheaf.db",
                              .vfs = vfs.name(),
                              .files = &files,
                              .sharing = SqliteOptions::Sharing::kExclusive})
                      .value();
    disk.CutAt(disk.points() + point);
    const auto wrote = opened.parts.administration->Backup(directory.path() + "/b", {});
    testkit::TemporaryDirectory after;
    disk.Survive(after.path() + "/disk", testkit::Survival::kRandom, point);
    const std::string survivor = after.path() + "/disk/b";
    EXPECT_TRUE(!wrote.ok() || std::filesystem::exists(survivor)) << "cut at point " << point;
    if (!std::filesystem::exists(survivor)) continue;
    auto local = files::OpenLocalFiles();
    EXPECT_TRUE(ReadBackup(*local, survivor, [](Frame, std::string_view) { return Done(); }).ok())
        << "cut at point " << point;
  }
}

TEST_F(BackupTest, ABusyDatabaseIsSaidAndNothingIsLost) {
  Open();
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  auto behind = Behind();
  ASSERT_TRUE(behind->Run("begin immediate").ok());
  // A backup needs nobody's leave; a restore waits its while for the one who writes, then says so.
  ASSERT_TRUE(administration().Backup(File(), {}).ok());
  const auto refused = administration().Restore(File(), Holders::kMustBeNone, {});
  EXPECT_EQ(KindOf(refused), Kind::kBackpressure);
  ASSERT_TRUE(behind->Run("commit").ok());
  EXPECT_TRUE(administration().Restore(File(), Holders::kMustBeNone, {}).ok());
}

TEST_F(BackupTest, AClockThatStepsBackIsNoMatter) {
  time::ManualClock clock({5'000'000});
  opened_ = OpenSqlite({.path = path_, .clock = &clock}).value();
  ASSERT_TRUE(history().Save(Acquire(), std::vector<Work>{MakeJob(1)}).ok());
  EXPECT_EQ(administration().Backup(File(), {})->written_ms, 5000);
  clock.StepWall(std::chrono::seconds(-6));
  EXPECT_EQ(administration().Backup(File(), {})->written_ms, -1000);
  EXPECT_EQ(administration().Restore(File(), Holders::kAreFenced, {})->written_ms, -1000);
  EXPECT_TRUE(history().Get(WorkType::kJob, 1).ok());
  const std::vector<Retention> none = {{.table = "jobs", .before = -1}};
  EXPECT_TRUE(administration().Purge(none, {}, {})->empty());
}

}  // namespace
}  // namespace sheaf::persistence
