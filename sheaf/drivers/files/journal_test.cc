// PLAN  what was written is read, across openings and bases · a flipped byte or a cut anywhere
//       gives the longest valid prefix, names the rest and never gives what was not written · what
//       follows damage stays out for good · lost segments are missed · all waiting writers share a
//       sync · after a failed sync nothing is promised · the power may fail at every write point
#include "sheaf/drivers/files/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "testkit/failing_files.h"
#include "testkit/power_cut.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace sheaf::files {
namespace {

namespace fs = std::filesystem;
using Records = std::vector<std::string>;

struct Read {
  std::unique_ptr<Journal> journal;
  std::optional<std::string> base;
  Records records;
};

Result<Read> OpenAt(FileSystem& files, const std::string& directory) {
  Read read;
  const Journal::Reader reader{[&](std::string_view base) {
                                 read.base = std::string(base);
                                 return Done();
                               },
                               [&](std::string_view record) {
                                 read.records.emplace_back(record);
                                 return Done();
                               }};
  SHEAF_ASSIGN(read.journal, Journal::Open(files, directory, "j", reader));
  return read;
}

class JournalTest : public testing::Test {
 protected:
  Read Open() { return OpenAt(*files_, directory_.path()).value(); }
  std::string Segment(int number) {
    return directory_.path() + "/j.000000000" + std::to_string(number);
  }
  static std::string Bytes(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }
  static void SetBytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  // The records are a beginning of `all`.
  static void ExpectPrefix(const Records& records, const Records& all) {
    ASSERT_LE(records.size(), all.size());
    EXPECT_EQ(records, Records(all.begin(), all.begin() + static_cast<ptrdiff_t>(records.size())));
  }
  testkit::TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_ = OpenLocalFiles();
};

TEST_F(JournalTest, WhatWasWrittenIsReadAcrossOpenings) {
  {
    const Read first = Open();
    EXPECT_TRUE(first.records.empty());
    EXPECT_FALSE(first.journal->unreadable());
    ASSERT_TRUE(first.journal->Write("one").ok());
    ASSERT_TRUE(first.journal->Write("").ok());
  }
  {
    const Read second = Open();
    EXPECT_EQ(second.records, (Records{"one", ""}));
    ASSERT_TRUE(second.journal->Write(std::string(1 << 20, 'x')).ok());
  }
  const Read third = Open();
  EXPECT_EQ(third.records, (Records{"one", "", std::string(1 << 20, 'x')}));
  EXPECT_FALSE(third.base.has_value());
  EXPECT_TRUE(third.journal->set_aside().empty());
  EXPECT_EQ(third.journal->records(), 3u);
}

TEST_F(JournalTest, ABaseReplacesWhatWasBeforeAndTheFormerOneStays) {
  {
    const Read read = Open();
    ASSERT_TRUE(read.journal->Write("old").ok());
    for (const auto* base : {"A", "B", "C"}) {
      ASSERT_TRUE(read.journal->Rebase(base).ok());
      ASSERT_TRUE(read.journal->Write(std::string("after ") + base).ok());
    }
    EXPECT_EQ(read.journal->segments(), 2u);
    EXPECT_EQ(read.journal->records(), 1u);
  }
  EXPECT_FALSE(fs::exists(Segment(1)));
  EXPECT_TRUE(fs::exists(Segment(3)));
  EXPECT_EQ(Open().base, "C");
  // The newest base is damaged: the former one and all that was written on it.
  std::string bytes = Bytes(Segment(4));
  bytes[40 + 16] ^= 1;
  SetBytes(Segment(4), bytes);
  const Read read = Open();
  EXPECT_EQ(read.base, "B");
  EXPECT_EQ(read.records, Records{"after B"});
  EXPECT_THAT(read.journal->set_aside(), testing::Contains(testing::HasSubstr("base is damaged")));
}

TEST_F(JournalTest, EveryFlippedByteGivesThePrefixAndNamesTheRest) {
  const Records all = {"first", "second", "third", "fourth"};
  {
    const Read read = Open();
    for (const auto& record : all) ASSERT_TRUE(read.journal->Write(record).ok());
  }
  const std::string whole = Bytes(Segment(1));
  for (size_t at = 0; at < whole.size(); ++at) {
    SCOPED_TRACE("byte " + std::to_string(at));
    std::string bytes = whole;
    bytes[at] ^= 0x20;
    SetBytes(Segment(1), bytes);
    const auto read = OpenAt(*files_, directory_.path());
    if (!read.ok()) {
      EXPECT_EQ(read.error().kind, Kind::kUnsupported);
    } else {
      ExpectPrefix(read->records, all);
      EXPECT_LT(read->records.size(), all.size());
      EXPECT_FALSE(read->journal->set_aside().empty());
      if (at < 40) {
        EXPECT_TRUE(read->journal->unreadable());
      }
    }
    fs::remove(Segment(2));
  }
}

TEST_F(JournalTest, EveryCutGivesThePrefixAndNamesTheRest) {
  const Records all = {"first", "second", "third"};
  {
    const Read read = Open();
    for (const auto& record : all) ASSERT_TRUE(read.journal->Write(record).ok());
  }
  const std::string whole = Bytes(Segment(1));
  size_t most = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    SetBytes(Segment(1), whole.substr(0, size));
    const Read read = Open();
    ExpectPrefix(read.records, all);
    EXPECT_GE(read.records.size(), most);
    most = read.records.size();
    if (size < 40) {
      EXPECT_TRUE(read.journal->unreadable()) << size;
    }
    fs::remove(Segment(2));
  }
  EXPECT_EQ(most, 2u);
}

TEST_F(JournalTest, WhatFollowsDamageStaysOutForGood) {
  {
    const Read read = Open();
    for (const auto* record : {"1", "2", "3"}) ASSERT_TRUE(read.journal->Write(record).ok());
  }
  std::string bytes = Bytes(Segment(1));
  bytes[40 + 17 + 16] ^= 1;  // The second record.
  SetBytes(Segment(1), bytes);
  {
    const Read read = Open();
    EXPECT_EQ(read.records, Records{"1"});
    EXPECT_FALSE(read.journal->unreadable());
    ASSERT_TRUE(read.journal->Write("new").ok());
  }
  EXPECT_EQ(Open().records, (Records{"1", "new"}));
}

TEST_F(JournalTest, LostSegmentsAreMissed) {
  for (const auto* record : {"1", "2", "3"}) ASSERT_TRUE(Open().journal->Write(record).ok());
  fs::remove(Segment(2));
  const Read read = Open();
  EXPECT_EQ(read.records, Records{"1"});
  EXPECT_THAT(read.journal->set_aside(), testing::ElementsAre(testing::HasSubstr("are missing")));
}

TEST_F(JournalTest, AllSegmentsGoneIsNoFirstStart) {
  ASSERT_TRUE(Open().journal->Write("1").ok());
  fs::remove(Segment(1));
  const Read read = Open();
  EXPECT_TRUE(read.journal->unreadable());
  EXPECT_FALSE(read.journal->set_aside().empty());
}

TEST_F(JournalTest, AReaderThatRefusesEndsTheReading) {
  {
    const Read read = Open();
    for (const auto* record : {"1", "2", "3"}) ASSERT_TRUE(read.journal->Write(record).ok());
  }
  Records records;
  const auto journal = Journal::Open(*files_, directory_.path(), "j",
                                     {[](std::string_view) { return Done(); },
                                      [&](std::string_view record) -> Status {
                                        if (record == "2") return Fail(Kind::kCorrupt, "no sense");
                                        records.emplace_back(record);
                                        return Done();
                                      }});
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(records, Records{"1"});
  EXPECT_THAT((*journal)->set_aside(), testing::Contains(testing::HasSubstr("no sense")));
}

TEST_F(JournalTest, WritersThatWaitShareASync) {
  constexpr int kThreads = 8, kEach = 50;
  std::atomic<int> syncs{0};
  const auto files = testkit::MakeFailingFiles(
      [&](std::string_view operation, const std::string&) -> std::optional<Error> {
        if (operation == "Sync") ++syncs;
        return std::nullopt;
      });
  auto read = OpenAt(*files, directory_.path()).value();
  const int before = syncs;
  // What is appended together is synced together.
  uint64_t last = 0;
  for (int i = 0; i < 10; ++i) last = read.journal->Append("together");
  ASSERT_TRUE(read.journal->SyncTo(last).ok());
  EXPECT_EQ(syncs, before + 1);
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) failed += read.journal->Write("record").ok() ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_LE(syncs, before + 1 + kThreads * kEach);
  EXPECT_EQ(Open().records.size(), 10u + kThreads * kEach);
}

TEST_F(JournalTest, AfterAFailedSyncNothingIsPromised) {
  bool broken = false;
  const auto files = testkit::MakeFailingFiles(
      [&](std::string_view operation, const std::string& path) -> std::optional<Error> {
        if (!broken || operation != "Sync") return std::nullopt;
        return Fail(Kind::kDependency, path + ": broken disk");
      });
  auto read = OpenAt(*files, directory_.path()).value();
  ASSERT_TRUE(read.journal->Write("safe").ok());
  broken = true;
  const Status lost = read.journal->Write("lost");
  EXPECT_EQ(lost.error().effect, Effect::kUnknown);
  broken = false;
  EXPECT_EQ(read.journal->Write("later").error().kind, Kind::kDependency);
}

TEST_F(JournalTest, FullDiskIsSaid) {
  bool full = false;
  const auto files = testkit::MakeFailingFiles(
      [&](std::string_view operation, const std::string& path) -> std::optional<Error> {
        if (!full || operation != "Append") return std::nullopt;
        return Fail(Kind::kExhausted, path + ": no space left");
      });
  auto read = OpenAt(*files, directory_.path()).value();
  full = true;
  EXPECT_EQ(read.journal->Write("x").error().kind, Kind::kExhausted);
}

// Writes until the power fails; what was acknowledged.
Records Act(FileSystem& files, const std::string& directory, Records& attempted) {
  Records acknowledged;
  for (int round = 0; round < 2; ++round) {
    auto read = OpenAt(files, directory);
    if (!read.ok()) return acknowledged;
    for (int i = 0; i < 4; ++i) {
      const std::string record = std::to_string(round * 10 + i) + std::string(20, 'x');
      attempted.push_back(record);
      if (!read->journal->Write(record).ok()) return acknowledged;
      acknowledged.push_back(record);
      std::string base;
      for (const auto& each : acknowledged) base += each + ";";
      if (i == 2 && !read->journal->Rebase(base).ok()) return acknowledged;
    }
  }
  return acknowledged;
}

Records All(const Read& read) {
  Records all;
  std::istringstream base(read.base.value_or(""));
  for (std::string each; std::getline(base, each, ';');) all.push_back(each);
  all.insert(all.end(), read.records.begin(), read.records.end());
  return all;
}

TEST(JournalPowerCutTest, NothingAcknowledgedIsLostAtAnyWritePoint) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  uint64_t cut = 0;
  for (bool over = false; !over;) {
    ASSERT_LT(++cut, 500u);
    testkit::TemporaryDirectory root;
    testkit::PowerCutDisk disk(root.path());
    testkit::PowerCutFiles files(disk);
    disk.CutAt(cut);
    Records attempted;
    const Records acknowledged = Act(files, root.path(), attempted);
    over = !disk.off();
    for (const auto survival : {testkit::Survival::kSynced, testkit::Survival::kEverything,
                                testkit::Survival::kRandom, testkit::Survival::kRandom}) {
      testkit::TemporaryDirectory left;
      disk.Survive(left.path() + "/left", survival, seed + cut);
      const auto local = OpenLocalFiles();
      const auto read = OpenAt(*local, left.path() + "/left");
      ASSERT_TRUE(read.ok()) << read.error().message;
      EXPECT_FALSE(read->journal->unreadable() && !acknowledged.empty());
      const Records found = All(*read);
      ASSERT_GE(found.size(), acknowledged.size()) << "cut at " << cut;
      ASSERT_LE(found.size(), attempted.size()) << "cut at " << cut;
      EXPECT_EQ(found, Records(attempted.begin(),
                               attempted.begin() + static_cast<ptrdiff_t>(found.size())));
    }
  }
  std::cout << "journal: the power was cut at " << cut - 1 << " write points\n";
}

}  // namespace
}  // namespace sheaf::files
