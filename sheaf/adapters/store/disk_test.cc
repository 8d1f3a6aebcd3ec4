// PLAN  one process a directory · a damaged, lost or emptied index is named · lost files are told,
//       orphans swept, strangers left alone · damage found while reading · a full or broken disk
//       fails the writer and nobody else · the timer hands gathered batches over · spills survive
//       nothing
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sheaf/adapters/store/local_store.h"
#include "sheaf/drivers/sqlite/sqlite.h"
#include "testkit/batches.h"
#include "testkit/failing_files.h"
#include "testkit/temporary.h"

namespace sheaf::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using What = FlightReader::Step::What;

Path P(const char* name) { return Path::Make({"p", name}).value(); }

class RecordingLog final : public Log {
 public:
  void Write(observe::Level, std::string_view event,
             std::initializer_list<observe::Field>) override {
    MutexLock lock(mutex_);
    events_.emplace_back(event);
  }
  std::vector<std::string> events() const {
    MutexLock lock(mutex_);
    return events_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> events_ SHEAF_GUARDED_BY(mutex_);
};

class DiskTest : public testing::Test {
 protected:
  LocalStoreOptions Options() {
    LocalStoreOptions options{.clock = clock_, .log = log_, .metrics = metrics_};
    options.directory = directory_.path() + "/store";
    options.files = files_.get();
    return options;
  }
  Result<std::unique_ptr<Store>> Open() { return OpenLocal(Options()); }
  static Result<RecordPtr> Keep(Store& store, const Path& path, int64_t first, int64_t rows,
                                Tier tier = Tier::kDisk) {
    WriterOptions options;
    options.schema = testkit::NumbersSchema();
    options.tier = tier;
    SHEAF_ASSIGN(auto writer, store.OpenWriter(options));
    SHEAF_TRY(writer->Write(0, testkit::Numbers(first, rows, 2000)));
    CommitTarget target;
    target.sink.path = path;
    target.sink.tier = tier;
    SHEAF_ASSIGN(auto records, writer->Commit({target}, nullptr));
    return records.front();
  }
  std::vector<std::string> DataFiles() const {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(directory_.path() + "/store/data")) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  std::string DataFile() const { return directory_.path() + "/store/data/" + DataFiles().at(0); }

  testkit::TemporaryDirectory directory_;
  ManualClock clock_;
  RecordingLog log_;
  observe::MemoryMetrics metrics_;
  std::function<std::optional<Error>(std::string_view, const std::string&)> failing_;
  const std::unique_ptr<files::FileSystem> files_ = testkit::MakeFailingFiles(
      [this](std::string_view operation, const std::string& path) -> std::optional<Error> {
        return failing_ == nullptr ? std::nullopt : failing_(operation, path);
      });
};

TEST_F(DiskTest, SecondStoreOfADirectoryIsRefusedAndToldByWhom) {
  auto first = Open().value();
  const auto second = Open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, Kind::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("pid " + std::to_string(::getpid())));
  first.reset();
  EXPECT_TRUE(Open().ok());
}

TEST_F(DiskTest, DamagedIndexIsNamed) {
  ASSERT_TRUE(Keep(*Open().value(), P("a"), 0, 10).ok());
  const std::string index = directory_.path() + "/store/index.sqlite";
  std::fstream(index, std::ios::in | std::ios::out | std::ios::binary) << "not a database";
  const auto opened = Open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, Kind::kCorrupt);
  EXPECT_THAT(opened.error().message, HasSubstr(index));
  EXPECT_EQ(DataFiles().size(), 1u);  // Nothing is swept on the word of a damaged index.
}

TEST_F(DiskTest, IndexWithBrokenPagesIsNamed) {
  {
    auto store = Open().value();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(Keep(*store, P(std::to_string(i).c_str()), 0, 1).ok());
    }
  }
  const std::string index = directory_.path() + "/store/index.sqlite";
  const auto bytes = std::filesystem::file_size(index);
  std::fstream stream(index, std::ios::in | std::ios::out | std::ios::binary);
  for (uint64_t at = 8192; at + 200 < bytes; at += 4096) {
    stream.seekp(static_cast<std::streamoff>(at));
    stream << std::string(200, '\xee');
  }
  stream.close();
  const auto opened = Open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, Kind::kCorrupt);
  EXPECT_THAT(opened.error().message, HasSubstr(index));
}

TEST_F(DiskTest, LostOrEmptiedIndexIsNamedAndNothingSwept) {
  ASSERT_TRUE(Keep(*Open().value(), P("a"), 0, 10).ok());
  const std::string index = directory_.path() + "/store/index.sqlite";
  const auto refused = [&](std::string_view what) {
    for (int start = 0; start < 2; ++start) {  // The refusal makes nothing that a second one takes.
      const auto opened = Open();
      ASSERT_FALSE(opened.ok()) << what;
      EXPECT_EQ(opened.error().kind, Kind::kCorrupt) << what;
      EXPECT_THAT(opened.error().message, HasSubstr(index + " " + std::string(what)));
      EXPECT_THAT(opened.error().message, HasSubstr("move " + directory_.path() + "/store/data"));
      EXPECT_EQ(DataFiles().size(), 1u) << what;
    }
  };
  std::filesystem::resize_file(index, 0);
  refused("is empty");
  std::filesystem::remove(index);
  refused("is missing");
  {
    auto database = sqlite::Database::Open({.path = index}).value();
    ASSERT_TRUE(database->Run("pragma journal_mode = wal").ok());
    ASSERT_TRUE(database->Run("create table passing(n integer)").ok());
    ASSERT_TRUE(database->Run("drop table passing").ok());
  }
  refused("holds no index");
}

TEST_F(DiskTest, EmptyIndexWithoutFlightFilesIsANewOne) {
  std::filesystem::create_directories(directory_.path() + "/store/data");
  std::ofstream(directory_.path() + "/store/index.sqlite").close();
  auto store = Open().value();
  EXPECT_TRUE(Keep(*store, P("a"), 0, 10).ok());
}

TEST_F(DiskTest, LostFileIsToldOrphansAreSweptStrangersLeftAlone) {
  {
    auto store = Open().value();
    ASSERT_TRUE(Keep(*store, P("a"), 0, 10).ok());
  }
  std::filesystem::remove(DataFile());
  {
    auto store = Open().value();
    EXPECT_FALSE(store->Lookup(P("a")).has_value());
    EXPECT_THAT(log_.events(), testing::Contains("flight lost: its file is missing"));
    EXPECT_EQ(store->usage().disk_used, 0_B);
    ASSERT_TRUE(Keep(*store, P("b"), 0, 10).ok());
  }
  const std::string data = directory_.path() + "/store/data/";
  std::ofstream(data + "0000000000009999-0.arrows") << "orphan";
  std::ofstream(data + "notes.txt") << "mine";
  auto store = Open().value();
  EXPECT_TRUE(store->Lookup(P("b")).has_value());
  EXPECT_EQ(DataFiles().size(), 2u);
  EXPECT_TRUE(std::filesystem::exists(data + "notes.txt"));
}

TEST_F(DiskTest, DamageIsFoundWhileReadingAndNamesTheFile) {
  auto store = Open().value();
  const RecordPtr record = Keep(*store, P("a"), 0, 5000).value();
  const FlightPtr flight = store->Lookup(P("a"))->flight;
  std::fstream stream(DataFile(), std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(5'000'000);
  stream << "damage";
  stream.close();
  auto reader = store->Lookup(P("a"))->flight->OpenReader(0).value();
  EXPECT_TRUE(reader->Next([] {}).ok());  // What lies before it is whole.
  EXPECT_FALSE(flight->damaged());
  Error error;
  for (int i = 0; i < 10; ++i) {
    if (auto step = reader->Next([] {}); !step.ok()) error = step.error();
    if (error.kind == Kind::kCorrupt) break;
  }
  EXPECT_EQ(error.kind, Kind::kCorrupt);
  EXPECT_TRUE(flight->damaged());
  EXPECT_THAT(error.message, HasSubstr(DataFiles().at(0)));
  EXPECT_THAT(error.message, HasSubstr("the flight at p/a"));
  EXPECT_THAT(error.message, HasSubstr("put it again or drop it"));
  EXPECT_THAT(error.message, Not(HasSubstr(directory_.path())));  // It goes to clients.
  const Error known = store->LookupGeneration(P("a"), record->generation).error();
  EXPECT_EQ(known.kind, Kind::kCorrupt);
  EXPECT_THAT(known.message, HasSubstr("the flight at p/a"));
  EXPECT_EQ(metrics_.Value("sheaf_store_corrupt_total"), 1);
}

TEST_F(DiskTest, ShortenedFileIsCorruptAndNoCrash) {
  auto store = Open().value();
  ASSERT_TRUE(Keep(*store, P("a"), 0, 5000).ok());
  std::filesystem::resize_file(DataFile(), 1000);
  const auto reader = store->Lookup(P("a"))->flight->OpenReader(0);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().kind, Kind::kCorrupt);
}

TEST_F(DiskTest, FullDiskEndsTheWriterAndNobodyElse) {
  auto store = Open().value();
  ASSERT_TRUE(Keep(*store, P("a"), 0, 10).ok());
  for (const char* operation : {"Create", "Append", "Sync", "SyncDirectory"}) {
    for (const Kind kind : {Kind::kExhausted, Kind::kDependency}) {
      failing_ = [&](std::string_view is, const std::string& path) -> std::optional<Error> {
        if (is != operation) return std::nullopt;
        return Fail(kind, "no more of " + path);
      };
      const auto kept = Keep(*store, P("a"), 100, 3000);
      ASSERT_FALSE(kept.ok()) << operation;
      EXPECT_EQ(kept.error().kind, kind) << operation;
      EXPECT_THAT(kept.error().message, HasSubstr(directory_.path()));
      failing_ = nullptr;
      EXPECT_EQ(store->Lookup(P("a"))->record->rows, 10);
      EXPECT_EQ(DataFiles().size(), 1u) << operation;
    }
  }
  EXPECT_TRUE(Keep(*store, P("a"), 100, 20).ok());
  EXPECT_EQ(store->Lookup(P("a"))->record->rows, 20);
}

TEST_F(DiskTest, MemoryFlightsLiveOnADiskThatFails) {
  auto store = Open().value();
  failing_ = [](std::string_view, const std::string&) -> std::optional<Error> {
    return Fail(Kind::kDependency, "gone");
  };
  EXPECT_TRUE(Keep(*store, P("m"), 0, 10, Tier::kMemory).ok());
  EXPECT_TRUE(store->Lookup(P("m")).has_value());
}

TEST_F(DiskTest, FailedSpillKeepsTheBatchesInMemory) {
  LocalStoreOptions options = Options();
  options.memory_budget = 8_MiB;
  auto store = OpenLocal(options).value();
  ASSERT_TRUE(Keep(*store, P("m"), 0, 3000, Tier::kMemory).ok());
  int appends = 0;
  failing_ = [&](std::string_view is, const std::string&) -> std::optional<Error> {
    if (is != "Append" || ++appends < 3) return std::nullopt;
    return Fail(Kind::kExhausted, "no space");
  };
  EXPECT_FALSE(Keep(*store, P("n"), 0, 3000, Tier::kMemory).ok());
  failing_ = nullptr;
  auto reader = store->Lookup(P("m"))->flight->OpenReader(0).value();
  std::vector<Batch> batches;
  while (true) {
    const auto batch = reader->Wait(CancelToken());
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    if (*batch == nullptr) break;
    batches.push_back(*batch);
  }
  EXPECT_EQ(testkit::NumbersOf(batches).size(), 3000u);
}

TEST_F(DiskTest, TimerHandsGatheredBatchesOver) {
  Timers timers(clock_);
  LocalStoreOptions options = Options();
  options.timers = &timers;
  auto store = OpenLocal(options).value();
  WriterOptions writer_options;
  writer_options.schema = testkit::NumbersSchema();
  auto writer = store->OpenWriter(writer_options).value();
  auto reader = writer->flight()->OpenReader(0).value();
  ASSERT_TRUE(writer->Write(0, testkit::Numbers(0, 1)).ok());
  ASSERT_TRUE(writer->Write(0, testkit::Numbers(1, 1)).ok());
  Event woken;
  ASSERT_EQ(reader->Next([&] { woken.Set(); }).value().what, What::kPending);
  EXPECT_EQ(timers.pending(), 1u);
  clock_.Advance(std::chrono::milliseconds(20));
  ASSERT_TRUE(woken.WaitFor(std::chrono::seconds(30)));
  EXPECT_EQ(testkit::NumbersOf({reader->Next([] {}).value().batch}), (std::vector<int64_t>{0, 1}));
}

TEST_F(DiskTest, NothingIsLeftOfSpillsAndAbandonedWriters) {
  {
    LocalStoreOptions options = Options();
    options.memory_budget = 2_MiB;
    auto store = OpenLocal(options).value();
    ASSERT_TRUE(Keep(*store, P("m"), 0, 3000, Tier::kMemory).ok());
    EXPECT_EQ(DataFiles().size(), 1u);
  }
  EXPECT_THAT(DataFiles(), IsEmpty());
}

}  // namespace
}  // namespace sheaf::store
