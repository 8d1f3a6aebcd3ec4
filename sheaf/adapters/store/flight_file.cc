#include "sheaf/adapters/store/flight_file.h"

#include <arrow/buffer.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sheaf::store {
namespace {

constexpr uint64_t kBodyAlignment = 64;
constexpr uint64_t kWritebackBytes = 32 << 20;
constexpr uint64_t kMapBytesMin = 16 << 20;
constexpr uint32_t kContinuation = 0xFFFFFFFF;
constexpr std::array<uint8_t, 64> kZeros{};

// Arrow's view of mapped bytes, which it keeps mapped.
class MappedBuffer final : public arrow::Buffer {
 public:
  MappedBuffer(std::shared_ptr<const files::Mapping> mapping, uint64_t offset, uint64_t bytes)
      : arrow::Buffer(mapping->data() + offset, static_cast<int64_t>(bytes)),
        mapping_(std::move(mapping)) {}

 private:
  const std::shared_ptr<const files::Mapping> mapping_;  // Shared with the file and its batches.
};

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

Block::Kind KindOf(arrow::ipc::MessageType type) {
  switch (type) {
    case arrow::ipc::MessageType::SCHEMA: return Block::Kind::kSchema;
    case arrow::ipc::MessageType::DICTIONARY_BATCH: return Block::Kind::kDictionary;
    default: return Block::Kind::kBatch;
  }
}

}  // namespace

// Appends payloads to the file as encapsulated messages and notes where they are. What it wrote
// becomes a part of the file when FlightFile publishes it.
class FlightFile::Sink final : public arrow::ipc::internal::IpcPayloadWriter {
 public:
  explicit Sink(std::shared_ptr<files::File> file) : file_(std::move(file)) {}

  arrow::Status WritePayload(const arrow::ipc::IpcPayload& payload) override {
    Block block;
    block.kind = KindOf(payload.type);
    block.offset = end_;
    const auto metadata = static_cast<uint64_t>(payload.metadata->size());
    // The metadata is padded so that the body begins at a multiple of 64 in the file.
    block.metadata_bytes =
        static_cast<uint32_t>(RoundUp(end_ + 8 + metadata, kBodyAlignment) - end_ - 8);
    const std::array<uint32_t, 2> prefix = {kContinuation, block.metadata_bytes};
    pieces_.clear();
    pieces_.push_back({prefix.data(), sizeof(prefix)});
    pieces_.push_back({payload.metadata->data(), metadata});
    pieces_.push_back({kZeros.data(), block.metadata_bytes - metadata});
    for (const auto& buffer : payload.body_buffers) {
      if (buffer == nullptr || buffer->size() == 0) continue;
      const auto size = static_cast<uint64_t>(buffer->size());
      pieces_.push_back({buffer->data(), size});
      block.body_bytes += size;
      if (const uint64_t padding = RoundUp(size, 8) - size; padding > 0) {
        pieces_.push_back({kZeros.data(), padding});
        block.body_bytes += padding;
      }
    }
    if (block.body_bytes != static_cast<uint64_t>(payload.body_length)) {
      return arrow::Status::Invalid("IPC body of ", payload.body_length, " bytes came as ",
                                    block.body_bytes);
    }
    block.checksum = files::Checksum(pieces_);
    if (Status written = file_->Append(pieces_); !written.ok()) {
      return columnar::ToArrow(written.error());
    }
    end_ = block.end();
    written_.push_back(block);
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return arrow::Status::OK(); }

  std::vector<Block> TakeWritten() { return std::exchange(written_, {}); }

 private:
  const std::shared_ptr<files::File> file_;  // Shared with the FlightFile.
  uint64_t end_ = 0;
  std::vector<files::Piece> pieces_;
  std::vector<Block> written_;
};

FlightFile::FlightFile(files::FileSystem& files, std::string path, FileName name, Schema schema)
    : files_(files), path_(std::move(path)), name_(name), schema_(std::move(schema)) {}

FlightFile::~FlightFile() = default;

Error FlightFile::Corrupt(std::string what) const {
  return Fail(Kind::kCorrupt, shown() + ": " + std::move(what));
}

Result<std::shared_ptr<FlightFile>> FlightFile::Create(files::FileSystem& files, std::string path,
                                                       FileName name, Schema schema) {
  SHEAF_ASSIGN(std::shared_ptr<files::File> file, files.Create(path));
  std::shared_ptr<FlightFile> made(new FlightFile(files, std::move(path), name, schema));
  auto sink = std::make_unique<Sink>(file);
  made->sink_ = sink.get();
  {
    MutexLock lock(made->mutex_);
    made->file_ = std::move(file);
  }
  arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
  options.allow_64bit = true;
  options.use_threads = false;
  auto writer = arrow::ipc::internal::OpenRecordBatchWriter(std::move(sink), schema, options);
  if (!writer.ok()) {
    (void)files.Remove(made->path_);  // A file that could not even begin is nobody's.
    return columnar::FromArrow(writer.status(), Kind::kUnsupported);
  }
  made->writer_ = std::move(writer).ValueUnsafe();
  return made;
}

Status FlightFile::Append(const arrow::RecordBatch& batch) {
  SHEAF_CHECK(writer_ != nullptr);
  SHEAF_ARROW_TRY(Kind::kUnsupported, writer_->WriteRecordBatch(batch));
  std::shared_ptr<files::File> writeback;
  {
    MutexLock lock(mutex_);
    const uint64_t before = bytes_;
    for (Block& block : sink_->TakeWritten()) {
      if (block.kind == Block::Kind::kBatch) {
        block.rows = batch.num_rows();
        ++batches_;
      }
      bytes_ = block.end();
      blocks_.push_back({block});
    }
    if (before / kWritebackBytes != bytes_ / kWritebackBytes) writeback = file_;
  }
  if (writeback != nullptr) writeback->StartWriteback();
  return Done();
}

Status FlightFile::Finish() {
  SHEAF_CHECK(writer_ != nullptr);
  SHEAF_ARROW_TRY(Kind::kUnsupported, writer_->Close());
  Trailer trailer{name_, {}};
  std::shared_ptr<files::File> file;
  {
    MutexLock lock(mutex_);
    for (const Block& block : sink_->TakeWritten()) blocks_.push_back({block});
    for (const Entry& entry : blocks_) trailer.blocks.push_back(entry.block);
    file = file_;
  }
  const std::array<uint32_t, 2> end = {kContinuation, 0};
  const std::string index = EncodeTrailer(trailer);
  const std::array<files::Piece, 2> pieces = {files::Piece{end.data(), sizeof(end)},
                                              files::Piece{index.data(), index.size()}};
  SHEAF_TRY(file->Append(pieces));
  SHEAF_TRY(file->Sync());
  {
    MutexLock lock(mutex_);
    bytes_ = trailer.blocks.back().end() + sizeof(end) + index.size();
  }
  Seal();
  return Done();
}

void FlightFile::Seal() {
  writer_.reset();  // With its sink, which shares the file.
  sink_ = nullptr;
  MutexLock lock(mutex_);
  closed_ = true;
  file_.reset();
}

Result<std::shared_ptr<FlightFile>> FlightFile::Open(files::FileSystem& files, std::string path,
                                                     FileName name, Schema schema, uint64_t bytes) {
  std::shared_ptr<FlightFile> made(new FlightFile(files, std::move(path), name, std::move(schema)));
  {
    MutexLock lock(made->mutex_);
    made->bytes_ = bytes;
    made->closed_ = true;
  }
  SHEAF_TRY(made->CheckLength());
  SHEAF_TRY(made->ReadTrailer(bytes));
  return made;
}

Status FlightFile::ReadTrailer(uint64_t bytes) {
  SHEAF_ASSIGN(auto mapping, MapTo(bytes));
  const auto* data = reinterpret_cast<const char*>(mapping->data());
  const auto parse = [&]() -> Result<Trailer> {
    const uint64_t footer = std::min(bytes, kTrailerFooterBytes);
    SHEAF_ASSIGN(const uint64_t size,
                 TrailerBytes(std::string_view(data + bytes - footer, footer), bytes));
    return ParseTrailer(std::string_view(data + bytes - size, size), bytes);
  };
  auto trailer = parse();
  if (!trailer.ok()) return std::move(trailer).error().In(shown());
  if (trailer->name != name_) return Corrupt("holds " + trailer->name.Text());
  MutexLock lock(mutex_);
  for (const Block& block : trailer->blocks) {
    blocks_.push_back({block});
    if (block.kind == Block::Kind::kBatch) ++batches_;
  }
  return Done();
}

uint64_t FlightFile::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

size_t FlightFile::batches() const {
  MutexLock lock(mutex_);
  return batches_;
}

Status FlightFile::CheckLength() const {
  const uint64_t wanted = bytes();  // Before the size is asked: a file that grows has at least it.
  auto size = files_.Size(path_);
  if (!size.ok() && size.error().kind != Kind::kNotFound) return std::move(size).error();
  if (!size.ok()) return Corrupt("the file is missing");
  if (*size < wanted) {
    return Corrupt("the file has " + std::to_string(*size) + " bytes, " + std::to_string(wanted) +
                   " were written");
  }
  return Done();
}

void FlightFile::Unmap() {
  MutexLock lock(mutex_);
  mapping_.reset();
}

std::optional<Block> FlightFile::BlockAt(size_t number) const {
  MutexLock lock(mutex_);
  if (number >= blocks_.size()) return std::nullopt;
  return blocks_[number].block;
}

Result<std::shared_ptr<const files::Mapping>> FlightFile::MapTo(uint64_t end) {
  MutexLock lock(mutex_);
  if (mapping_ != nullptr && mapping_->size() >= end) return mapping_;
  if (closed_) {
    SHEAF_ASSIGN(auto file, files_.OpenToRead(path_));
    SHEAF_ASSIGN(mapping_, file->Map(bytes_));
  } else {
    // Beyond the end, so that a growing file is mapped anew only as often as it doubles.
    SHEAF_ASSIGN(mapping_, file_->Map(std::max(2 * end, kMapBytesMin)));
  }
  return mapping_;
}

Result<std::shared_ptr<arrow::Buffer>> FlightFile::ReadBlock(size_t number) {
  Entry entry;
  {
    MutexLock lock(mutex_);
    SHEAF_CHECK(number < blocks_.size());
    entry = blocks_[number];
  }
  const Block& block = entry.block;
  if (!entry.verified) SHEAF_TRY(CheckLength());
  SHEAF_ASSIGN(auto mapping, MapTo(block.end()));
  if (!entry.verified) {
    if (files::Checksum(mapping->data() + block.offset, block.bytes()) != block.checksum) {
      return Corrupt("block " + std::to_string(number) + " at byte " +
                     std::to_string(block.offset) + " fails its checksum");
    }
    MutexLock lock(mutex_);
    blocks_[number].verified = true;
  }
  return std::shared_ptr<arrow::Buffer>(
      std::make_shared<MappedBuffer>(std::move(mapping), block.offset, block.bytes()));
}

// Hands Arrow's stream reader the messages up to the batch that is wanted, and of the batches
// before it none: only their dictionaries count.
class FileCursor::Feed final : public arrow::ipc::MessageReader {
 public:
  explicit Feed(FlightFile& file) : file_(file) {}

  void Want(size_t index) { wanted_ = index; }

  arrow::Result<std::unique_ptr<arrow::ipc::Message>> ReadNextMessage() override {
    while (true) {
      const auto block = file_.BlockAt(next_block_);
      if (!block.has_value()) return std::unique_ptr<arrow::ipc::Message>();
      const size_t number = next_block_++;
      if (block->kind == Block::Kind::kBatch && next_batch_++ < wanted_) continue;
      auto bytes = file_.ReadBlock(number);
      if (!bytes.ok()) return columnar::ToArrow(bytes.error());
      return arrow::ipc::Message::Open(
          arrow::SliceBuffer(*bytes, 8, block->metadata_bytes),
          arrow::SliceBuffer(*bytes, 8 + static_cast<int64_t>(block->metadata_bytes),
                             static_cast<int64_t>(block->body_bytes)));
    }
  }

 private:
  FlightFile& file_;  // Borrowed from the cursor.
  size_t next_block_ = 0;
  size_t next_batch_ = 0;
  size_t wanted_ = 0;
};

FileCursor::FileCursor(std::shared_ptr<FlightFile> file) : file_(std::move(file)) {}
FileCursor::~FileCursor() = default;

Result<Batch> FileCursor::Read(size_t index) {
  if (reader_ == nullptr) {
    auto feed = std::make_unique<Feed>(*file_);
    Feed* const borrowed = feed.get();
    arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    SHEAF_ARROW_ASSIGN(reader_, Kind::kCorrupt,
                       arrow::ipc::RecordBatchStreamReader::Open(std::move(feed), options));
    feed_ = borrowed;
  }
  feed_->Want(index);
  Batch batch;
  SHEAF_ARROW_TRY(Kind::kCorrupt, reader_->ReadNext(&batch));
  if (batch == nullptr) {
    return Fail(Kind::kCorrupt,
                file_->shown() + ": batch " + std::to_string(index) + " is missing");
  }
  // The flight's own schema object: who compares pointers, compares quickly.
  SHEAF_ARROW_ASSIGN(batch, Kind::kCorrupt, batch->ReplaceSchema(file_->schema()));
  return batch;
}

}  // namespace sheaf::store
