// PLAN  append, map beyond the end, read what was appended later · create refuses what exists ·
//       many pieces · publish replaces whole · a lock has one holder and names it · checksums of
//       pieces and of the whole agree
#include "sheaf/drivers/files/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "testkit/temporary.h"

namespace sheaf::files {
namespace {

class FilesTest : public testing::Test {
 protected:
  std::string At(const char* name) const { return directory_.path() + "/" + name; }
  static Piece Of(std::string_view text) { return {text.data(), text.size()}; }
  testkit::TemporaryDirectory directory_;
  const std::unique_ptr<FileSystem> files_ = OpenLocalFiles();
};

TEST_F(FilesTest, MappingBeyondTheEndShowsWhatIsAppendedLater) {
  auto file = files_->Create(At("a")).value();
  const Piece first = Of("first");
  ASSERT_TRUE(file->Append({&first, 1}).ok());
  const auto mapping = file->Map(1 << 20).value();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapping->data()), 5), "first");
  const Piece second = Of("second");
  ASSERT_TRUE(file->Append({&second, 1}).ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapping->data()), 11), "firstsecond");
  EXPECT_EQ(file->Size().value(), 11u);
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(files_->Remove(At("a")).ok());
  EXPECT_EQ(mapping->data()[0], 'f');  // A removed file stays mapped.
}

TEST_F(FilesTest, MorePiecesThanOneSystemCallTakes) {
  std::string text(3000, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
  std::vector<Piece> pieces;
  for (size_t at = 0; at < text.size(); at += 2) pieces.push_back({text.data() + at, 2});
  pieces.insert(pieces.begin() + 7, Piece{});
  auto file = files_->Create(At("a")).value();
  ASSERT_TRUE(file->Append(pieces).ok());
  EXPECT_EQ(ReadWhole(*files_, At("a"), 1 << 20).value(), text);
  EXPECT_EQ(Checksum(pieces), Checksum(text.data(), text.size()));
}

TEST_F(FilesTest, CreateOfWhatExistsIsConflict) {
  ASSERT_TRUE(files_->Create(At("a")).ok());
  const auto again = files_->Create(At("a"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, Kind::kConflict);
  EXPECT_NE(again.error().message.find(At("a")), std::string::npos);
}

TEST_F(FilesTest, MissingFileIsNotFound) {
  EXPECT_EQ(files_->OpenToRead(At("a")).error().kind, Kind::kNotFound);
  EXPECT_EQ(files_->Size(At("a")).error().kind, Kind::kNotFound);
  EXPECT_EQ(files_->Remove(At("a")).error().kind, Kind::kNotFound);
  EXPECT_EQ(files_->List(At("a")).error().kind, Kind::kNotFound);
}

TEST_F(FilesTest, PublishReplacesWholeAndLeavesNoDraft) {
  ASSERT_TRUE(Publish(*files_, At("a"), "one").ok());
  ASSERT_TRUE(Publish(*files_, At("a"), "").ok());
  EXPECT_EQ(ReadWhole(*files_, At("a"), 10).value(), "");
  ASSERT_TRUE(Publish(*files_, At("a"), "three").ok());
  EXPECT_EQ(ReadWhole(*files_, At("a"), 10).value(), "three");
  EXPECT_EQ(ReadWhole(*files_, At("a"), 4).error().kind, Kind::kExhausted);
  EXPECT_THAT(files_->List(directory_.path()).value(), testing::ElementsAre("a"));
}

TEST_F(FilesTest, LockHasOneHolderAndNamesIt) {
  auto lock = files_->Lock(directory_.path()).value();
  const auto second = files_->Lock(directory_.path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, Kind::kConflict);
  EXPECT_NE(second.error().message.find("pid " + std::to_string(::getpid())), std::string::npos)
      << second.error().message;
  lock.reset();
  EXPECT_TRUE(files_->Lock(directory_.path()).ok());
}

TEST_F(FilesTest, DirectoriesAreCreatedAboveToo) {
  ASSERT_TRUE(files_->CreateDirectories(At("x/y/z")).ok());
  ASSERT_TRUE(files_->CreateDirectories(At("x/y/z")).ok());
  ASSERT_TRUE(files_->Create(At("x/y/z/file")).ok());
  EXPECT_EQ(files_->CreateDirectories(At("x/y/z/file")).error().kind, Kind::kConflict);
  EXPECT_TRUE(files_->SyncDirectory(At("x/y/z")).ok());
  ASSERT_TRUE(files_->Rename(At("x/y/z/file"), At("x/file")).ok());
  EXPECT_THAT(files_->List(At("x")).value(), testing::UnorderedElementsAre("y", "file"));
}

}  // namespace
}  // namespace sheaf::files
