// PLAN  every type comes back as it was written, with changing dictionaries, from any first batch ·
//       stock Arrow reads the file · bodies are aligned · a follower reads while it grows, also
//       on a thread of its own · each damaged byte is found and named · truncation, another's file
//       and no file are kCorrupt
#include "sheaf/adapters/store/flight_file.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sheaf/wire/columnar/random_batch_test.h"
#include "testkit/batches.h"
#include "testkit/seed.h"
#include "testkit/temporary.h"

namespace sheaf::store {
namespace {

using columnar::testing::AllTypes;
using columnar::testing::OneColumn;
using columnar::testing::RandomArray;

class FlightFileTest : public testing::Test {
 protected:
  static constexpr FileName kName{42, 3};

  std::shared_ptr<FlightFile> Write(const std::vector<Batch>& batches, const Schema& schema) {
    std::filesystem::remove(path_);
    auto file = FlightFile::Create(*files_, path_, kName, schema).value();
    for (const Batch& batch : batches) {
      const Status appended = file->Append(*batch);
      EXPECT_TRUE(appended.ok()) << appended.error().message;
    }
    const Status finished = file->Finish();
    EXPECT_TRUE(finished.ok()) << finished.error().message;
    EXPECT_EQ(file->bytes(), std::filesystem::file_size(path_));
    return file;
  }
  Result<std::shared_ptr<FlightFile>> Open(const Schema& schema) {
    return FlightFile::Open(*files_, path_, kName, schema, std::filesystem::file_size(path_));
  }
  static void ExpectFrom(const std::shared_ptr<FlightFile>& file, size_t first,
                         const std::vector<Batch>& batches) {
    FileCursor cursor(file);
    for (size_t i = first; i < batches.size(); ++i) {
      const auto read = cursor.Read(i);
      ASSERT_TRUE(read.ok()) << read.error().message;
      ASSERT_TRUE((*read)->ValidateFull().ok());
      EXPECT_TRUE((*read)->Equals(*batches[i])) << batches[i]->schema()->ToString();
    }
  }
  void Flip(uint64_t at) {
    std::fstream stream(path_, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(stream.get() ^ 0x40);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
  }

  testkit::TemporaryDirectory directory_;
  const std::unique_ptr<files::FileSystem> files_ = files::OpenLocalFiles();
  const std::string path_ = directory_.path() + "/flight";
};

TEST_F(FlightFileTest, EveryTypeComesBack) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  columnar::testing::Random random(seed);
  for (const auto& type : AllTypes()) {
    SCOPED_TRACE(type->ToString());
    std::vector<Batch> batches;
    for (int i = 0; i < 4; ++i) {
      const auto batch =
          OneColumn(RandomArray(type, 1 + static_cast<int64_t>(random() % 200), random));
      batches.push_back(batch);
      if (batch->num_rows() > 10) batches.push_back(batch->Slice(3, 5));
    }
    const Schema schema = batches.front()->schema();
    ExpectFrom(Write(batches, schema), 0, batches);
    const auto opened = Open(schema);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_EQ((*opened)->batches(), batches.size());
    for (size_t first = 0; first < batches.size(); ++first) ExpectFrom(*opened, first, batches);
  }
}

TEST_F(FlightFileTest, StockArrowReadsTheFile) {
  std::vector<Batch> batches = {testkit::Tags(0, 100, {"a", "b"}),
                                testkit::Tags(100, 50, {"a", "b", "c"}),
                                testkit::Tags(150, 50, {"z"})};
  Write(batches, testkit::TagsSchema());
  auto input = arrow::io::ReadableFile::Open(path_).ValueOrDie();
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(input).ValueOrDie();
  for (const Batch& batch : batches) {
    Batch read;
    ASSERT_TRUE(reader->ReadNext(&read).ok());
    EXPECT_TRUE(read->Equals(*batch));
  }
  Batch end;
  ASSERT_TRUE(reader->ReadNext(&end).ok());
  EXPECT_EQ(end, nullptr);
}

TEST_F(FlightFileTest, FileWithoutBatchesHasItsSchema) {
  Write({}, testkit::TagsSchema());
  const auto opened = Open(testkit::TagsSchema());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ((*opened)->batches(), 0u);
  auto input = arrow::io::ReadableFile::Open(path_).ValueOrDie();
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(input).ValueOrDie();
  EXPECT_TRUE(reader->schema()->Equals(*testkit::TagsSchema()));
}

TEST_F(FlightFileTest, BodiesAreAlignedAndNotCopied) {
  const std::vector<Batch> batches = {testkit::Numbers(0, 33), testkit::Numbers(33, 77)};
  const auto file = Write(batches, testkit::NumbersSchema());
  FileCursor cursor(file);
  for (size_t i = 0; i < batches.size(); ++i) {
    const Batch batch = cursor.Read(i).value();
    const auto& values = batch->column_data(0)->buffers[1];
    EXPECT_EQ(values->address() % 8, 0u);
    for (size_t block = 0; const auto& is : {file->BlockAt(1), file->BlockAt(2)}) {
      EXPECT_EQ((is->offset + 8 + is->metadata_bytes) % 64, 0u) << block++;
    }
  }
}

TEST_F(FlightFileTest, FollowerReadsWhileItGrows) {
  auto file = FlightFile::Create(*files_, path_, kName, testkit::NumbersSchema()).value();
  FileCursor cursor(file);
  // Beyond the first mapping, which is twice what was there and 16 MiB at least.
  for (int64_t i = 0; i < 30; ++i) {
    ASSERT_TRUE(file->Append(*testkit::Numbers(i * 1000, 1000, 2000)).ok());
    const auto read = cursor.Read(static_cast<size_t>(i));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(testkit::NumbersOf({*read}).front(), i * 1000);
  }
}

TEST_F(FlightFileTest, FollowerNeverOutrunsItsWriter) {
  constexpr size_t kBatches = 3000;
  auto file = FlightFile::Create(*files_, path_, kName, testkit::NumbersSchema()).value();
  std::atomic<bool> ended{false};
  std::thread writer([&] {
    for (size_t i = 0; i < kBatches; ++i) {
      const Status appended = file->Append(*testkit::Numbers(static_cast<int64_t>(i), 1));
      EXPECT_TRUE(appended.ok()) << appended.error().message;
    }
    ended = true;
  });
  FileCursor cursor(file);
  for (size_t i = 0; i < kBatches && !testing::Test::HasFailure();) {
    if (i == file->batches() && !ended) continue;
    const auto read = cursor.Read(i);
    EXPECT_TRUE(read.ok()) << read.error().message;
    if (read.ok()) {
      EXPECT_EQ(testkit::NumbersOf({*read}).front(), static_cast<int64_t>(i++));
    }
  }
  writer.join();
}

TEST_F(FlightFileTest, BatchesStayWhenTheFileIsUnmappedAndRemoved) {
  const std::vector<Batch> batches = {testkit::Numbers(0, 1000)};
  auto file = Write(batches, testkit::NumbersSchema());
  Batch read = FileCursor(file).Read(0).value();
  file->Unmap();
  std::filesystem::remove(path_);
  file.reset();
  EXPECT_TRUE(read->Equals(*batches[0]));
}

TEST_F(FlightFileTest, EveryDamagedByteIsFoundAndNamed) {
  const std::vector<Batch> batches = {testkit::Tags(0, 20, {"a", "b"}),
                                      testkit::Tags(20, 20, {"c", "d"})};
  Write(batches, testkit::TagsSchema());
  const uint64_t bytes = std::filesystem::file_size(path_);
  uint64_t stream_end = 0;
  for (size_t i = 0; const auto block = Open(testkit::TagsSchema()).value()->BlockAt(i); ++i) {
    stream_end = block->end();
  }
  for (uint64_t at = 0; at < bytes; ++at) {
    // Arrow's end of stream, before the trailer, is for Arrow's readers: we go by the index.
    if (at >= stream_end && at < stream_end + kStreamEndBytes) continue;
    Flip(at);
    auto opened = Open(testkit::TagsSchema());
    Error error = Fail(Kind::kInternal, "not found");
    if (!opened.ok()) {
      error = opened.error();
    } else {
      FileCursor cursor(*opened);
      for (size_t i = 0; i < batches.size(); ++i) {
        if (auto read = cursor.Read(i); !read.ok()) {
          error = read.error();
          break;
        }
      }
    }
    ASSERT_EQ(error.kind, Kind::kCorrupt) << "byte " << at << ": " << error.message;
    const std::string name = std::filesystem::path(path_).filename();
    ASSERT_NE(error.message.find(name), std::string::npos) << error.message;
    Flip(at);
  }
}

TEST_F(FlightFileTest, ShortMissingAndForeignFilesAreCorrupt) {
  Write({testkit::Numbers(0, 1000)}, testkit::NumbersSchema());
  const uint64_t bytes = std::filesystem::file_size(path_);
  const auto open = [&](FileName name) {
    return FlightFile::Open(*files_, path_, name, testkit::NumbersSchema(), bytes);
  };
  EXPECT_TRUE(open(kName).ok());
  EXPECT_EQ(open({43, 3}).error().kind, Kind::kCorrupt);
  const auto intact = open(kName).value();
  std::filesystem::resize_file(path_, bytes - 1);
  EXPECT_EQ(open(kName).error().kind, Kind::kCorrupt);
  EXPECT_EQ(FileCursor(intact).Read(0).error().kind, Kind::kCorrupt);  // And no SIGBUS.
  std::filesystem::remove(path_);
  EXPECT_EQ(open(kName).error().kind, Kind::kCorrupt);
}

}  // namespace
}  // namespace sheaf::store
