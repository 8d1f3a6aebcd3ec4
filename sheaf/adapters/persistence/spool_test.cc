// PLAN  what is put is found again, in order, also what stands for another · a newer generation of
//       resources takes the place of the older · ends of work may use the last quarter, then all
//       are refused and told · a spool is for one database and one process · any byte flipped, any
//       length: the longest prefix, the rest named and kept · a disk that fails is mended · what
//       was made leaves the disk, also while something always waits · what is set aside can be read
#include "sheaf/adapters/persistence/spool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sheaf/adapters/persistence/record.h"
#include "sheaf/ports/persistence/contract/persistence_contract.h"
#include "testkit/failing_files.h"
#include "testkit/temporary.h"

namespace sheaf::persistence {
namespace {

namespace fs = std::filesystem;
using Weight = Spool::Weight;

const Epoch kNode{"node/n", 3, "one"};

Json Change(int64_t id, const std::string& text = "x") {
  return RecordOfChange(kNode, {{{id, text}}, {}, {}, {}});
}
Json Generation(const Epoch& epoch, int32_t order) {
  return RecordOfBegin(epoch, {{MakeNode("n", order)}, {}, {}});
}

class SpoolTest : public testing::Test {
 protected:
  std::unique_ptr<Spool> Open(uint64_t bytes_max = 1 << 20) {
    auto opened = TryOpen(bytes_max);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return std::move(opened).value();
  }
  Result<std::unique_ptr<Spool>> TryOpen(uint64_t bytes_max = 1 << 20) {
    return Spool::Open({.directory = directory_.path() + "/spool",
                        .files = files_,
                        .where = where_,
                        .bytes_max = bytes_max,
                        .account = account_});
  }
  // All that waits, in order; the spool is empty after.
  static std::vector<Json> Drain(Spool& spool) {
    std::vector<Json> records;
    while (!spool.empty()) {
      auto front = spool.front()->at(0);
      records.push_back(front.record);
      EXPECT_TRUE(spool.Made({front.number}).ok());
    }
    return records;
  }
  uint64_t OnDisk() const {
    uint64_t bytes = 0;
    for (const auto& each : fs::directory_iterator(directory_.path() + "/spool")) {
      bytes += each.file_size();
    }
    return bytes;
  }

  testkit::TemporaryDirectory directory_;
  files::FileSystem* files_ = nullptr;
  std::string where_ = "postgresql://h/d";
  const std::shared_ptr<Account> account_ = Account::Root("test", {});
};

TEST_F(SpoolTest, WhatIsPutIsFoundAgainInOrder) {
  const std::vector<Json> others = {Change(7), Change(8)};
  {
    auto spool = Open();
    for (int64_t id = 1; id <= 4; ++id) ASSERT_TRUE(spool->Put(Change(id), Weight::kOther).ok());
    ASSERT_TRUE(spool->Made({spool->front()->at(0).number}).ok());
    ASSERT_TRUE(spool->Replace(spool->front()->at(0).number, others).ok());
    EXPECT_EQ(spool->usage().records, 4u);
    EXPECT_EQ(account_->used().count, static_cast<int64_t>(spool->usage().bytes));
  }
  EXPECT_EQ(account_->used().count, 0);
  const std::vector<Json> expected = {Change(7), Change(8), Change(3), Change(4)};
  for (int i = 0; i < 12; ++i) EXPECT_EQ(Open()->usage().records, 4u);  // Begun anew meanwhile.
  EXPECT_EQ(Drain(*Open()), expected);
  EXPECT_TRUE(Open()->empty());
  EXPECT_TRUE(Open()->damaged().empty());
}

TEST_F(SpoolTest, ANewerGenerationTakesThePlaceOfTheOlder) {
  const Epoch other{"node/m", 1, "two"};
  {
    auto spool = Open();
    for (int32_t order = 1; order <= 3; ++order) {
      ASSERT_TRUE(spool->Put(Generation(kNode, order), Weight::kOther).ok());
      ASSERT_TRUE(spool->Put(Change(order), Weight::kOther).ok());
    }
    ASSERT_TRUE(spool->Put(Generation(other, 9), Weight::kOther).ok());
    EXPECT_EQ(spool->usage().records, 5u);
  }
  const std::vector<Json> expected = {Change(1), Change(2), Generation(kNode, 3), Change(3),
                                      Generation(other, 9)};
  EXPECT_EQ(Drain(*Open()), expected);
}

TEST_F(SpoolTest, EndsOfWorkMayUseTheLastQuarter) {
  auto spool = Open(4000);
  const Json record = Change(1, std::string(300, 'x'));
  int others = 0, ends = 0;
  Status refused;
  while ((refused = spool->Put(record, Weight::kOther)).ok()) ++others;
  EXPECT_EQ(refused.error().kind, Kind::kBackpressure);
  EXPECT_NE(refused.error().message.find("but ends of work"), std::string::npos);
  EXPECT_NE(refused.error().message.find("persistence.spool_bytes_max"), std::string::npos);
  EXPECT_LE(spool->usage().bytes, 3000u);
  while ((refused = spool->Put(record, Weight::kCompletion)).ok()) ++ends;
  EXPECT_EQ(refused.error().kind, Kind::kBackpressure);
  EXPECT_GT(others, 3);
  EXPECT_GT(ends, 1);
  EXPECT_TRUE(spool->usage().full);
  EXPECT_EQ(Drain(*spool).size(), static_cast<size_t>(others + ends));
  EXPECT_TRUE(spool->Put(record, Weight::kOther).ok());
}

TEST_F(SpoolTest, ItIsForOneDatabaseAndOneProcess) {
  ASSERT_TRUE(Open()->Put(Change(1), Weight::kOther).ok());
  {
    auto first = Open();
    const auto second = TryOpen();
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  where_ = "postgresql://other/d";
  const auto other = TryOpen();
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().kind, Kind::kConflict);
  EXPECT_NE(other.error().message.find("1 writes for postgresql://h/d"), std::string::npos);
  where_ = "postgresql://h/d";
  EXPECT_EQ(Drain(*Open()).size(), 1u);
  where_ = "postgresql://other/d";
  ASSERT_TRUE(Open()->Put(Change(2), Weight::kOther).ok());
  where_ = "postgresql://h/d";
  EXPECT_EQ(KindOf(TryOpen()), Kind::kConflict);
}

// Opens a spool whose first file holds these bytes; how many records it finds.
size_t Found(const std::string& segment, const std::string& bytes, bool& named) {
  testkit::TemporaryDirectory directory;
  const std::string spool = directory.path() + "/spool";
  fs::create_directories(spool);
  std::ofstream(spool + "/spool.begun") << "Sheaf journal\n";
  std::ofstream(spool + "/" + segment, std::ios::binary) << bytes;
  auto opened = Spool::Open({.directory = spool, .where = "postgresql://h/d"});
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  if (!opened.ok()) return 0;
  named = !(*opened)->damaged().empty();
  EXPECT_EQ(named, !(*opened)->kept_files().empty());
  for (const std::string& copy : (*opened)->kept_files()) {
    EXPECT_EQ(fs::file_size(copy), bytes.size());
  }
  size_t found = 0;
  while (!(*opened)->empty()) {
    const auto front = (*opened)->front()->at(0);
    EXPECT_EQ(front.record, Change(static_cast<int64_t>(++found)));
    EXPECT_TRUE((*opened)->Made({front.number}).ok());
  }
  EXPECT_TRUE((*opened)->Put(Change(9), Weight::kOther).ok());
  return found;
}

class DamagedSpoolTest : public SpoolTest {
 protected:
  void SetUp() override {
    auto spool = Open();
    for (int64_t id = 1; id <= 3; ++id) ASSERT_TRUE(spool->Put(Change(id), Weight::kOther).ok());
    for (const auto& each : fs::directory_iterator(directory_.path() + "/spool")) {
      const std::string name = each.path().filename();
      if (!name.starts_with("spool.0")) continue;
      if (name > segment_) segment_ = name;
    }
    std::ostringstream out;
    out << std::ifstream(directory_.path() + "/spool/" + segment_, std::ios::binary).rdbuf();
    whole_ = out.str();
  }
  std::string segment_, whole_;
};

TEST_F(DamagedSpoolTest, AFlippedByteEndsWhatIsReplayedAndTheRestIsNamed) {
  size_t some = 0;
  for (size_t at = 0; at < whole_.size(); ++at) {
    if (at >= 8 && at < 12) continue;  // The format: refused as of a later program.
    SCOPED_TRACE("byte " + std::to_string(at));
    std::string bytes = whole_;
    bytes[at] ^= 0x10;
    bool named = false;
    const size_t found = Found(segment_, bytes, named);
    EXPECT_LT(found, 3u);
    EXPECT_TRUE(named);
    some += found > 0 ? 1 : 0;
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(some, 0u);
}

TEST_F(DamagedSpoolTest, ACutAtEveryLengthGivesTheLongestPrefix) {
  size_t most = 0;
  for (size_t size = 0; size <= whole_.size(); ++size) {
    SCOPED_TRACE("length " + std::to_string(size));
    bool named = false;
    const size_t found = Found(segment_, whole_.substr(0, size), named);
    EXPECT_GE(found, most);
    most = std::max(most, found);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(most, 3u);
}

TEST_F(SpoolTest, ADiskThatFailedIsMended) {
  std::string fails;
  const auto failing = testkit::MakeFailingFiles(
      [&](std::string_view operation, const std::string& path) -> std::optional<Error> {
        if (operation != fails) return std::nullopt;
        return Fail(Kind::kExhausted, path + ": no space left");
      });
  files_ = failing.get();
  for (const char* operation : {"Append", "Sync"}) {
    auto spool = Open();
    ASSERT_TRUE(spool->Put(Change(1), Weight::kOther).ok());
    fails = operation;
    const Status lost = spool->Put(Change(2), Weight::kOther);
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().effect, Effect::kUnknown);
    EXPECT_FALSE(spool->Put(Change(3), Weight::kOther).ok());
    EXPECT_FALSE(spool->Made({spool->front()->at(0).number}).ok());
    EXPECT_TRUE(spool->usage().broken);
    EXPECT_FALSE(spool->Mend().ok());
    fails.clear();
    EXPECT_TRUE(spool->Mend().ok());
    EXPECT_FALSE(spool->usage().broken);
    ASSERT_TRUE(spool->Put(Change(4), Weight::kOther).ok());
    spool.reset();
    const std::vector<Json> expected = {Change(1), Change(2), Change(4)};
    EXPECT_EQ(Drain(*Open()), expected);
  }
}

TEST_F(SpoolTest, WhatWasMadeLeavesTheDisk) {
  auto spool = Open(100'000);
  const Json record = Change(1, std::string(1000, 'x'));
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(spool->Put(record, Weight::kCompletion).ok());
  for (int i = 0; i < 2000; ++i) {  // Something always waits.
    ASSERT_TRUE(spool->Put(record, Weight::kCompletion).ok());
    ASSERT_TRUE(spool->Made({spool->front()->at(0).number}).ok());
    if (i % 100 == 0) {
      EXPECT_LT(OnDisk(), 500'000u);
    }
  }
  EXPECT_EQ(Drain(*spool).size(), 80u);
  EXPECT_LT(OnDisk(), 1000u);
}

TEST_F(SpoolTest, WhatIsSetAsideCanBeRead) {
  const Epoch other{"node/m", 1, "two"};
  {
    auto spool = Open();
    ASSERT_TRUE(spool->Put(Change(1), Weight::kOther).ok());
    ASSERT_TRUE(spool->Put(Generation(other, 9), Weight::kOther).ok());
    ASSERT_TRUE(spool->Put(Change(2), Weight::kOther).ok());
    const auto of_node = [](uint64_t, const Epoch& epoch) { return epoch == kNode; };
    EXPECT_EQ(spool->SetAside(of_node, "it is stale", "now").value(), 2u);
    EXPECT_EQ(spool->SetAside(of_node, "it is stale", "now").value(), 0u);
    EXPECT_EQ(spool->usage().set_aside, 2u);
  }
  auto spool = Open();
  EXPECT_EQ(spool->usage().set_aside, 2u);
  ASSERT_EQ(spool->kept_files().size(), 1u);
  std::ifstream file(spool->kept_files().front());
  for (int64_t id = 1; id <= 2; ++id) {
    std::string text;
    ASSERT_TRUE(std::getline(file, text));
    const Json line = Json::parse(text);
    EXPECT_EQ(line["why"], "it is stale");
    EXPECT_EQ(line["record"], Change(id));
  }
  EXPECT_EQ(Drain(*spool), std::vector<Json>{Generation(other, 9)});
}

}  // namespace
}  // namespace sheaf::persistence
