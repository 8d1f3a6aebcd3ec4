#include "sheaf/services/files/text_source.h"

#include <arrow/io/compressed.h>
#include <arrow/result.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/reader.h"

namespace sheaf::files {
namespace {

std::optional<arrow::Compression::type> CodecOf(Packing packing) {
  switch (packing) {
    case Packing::kNone: return std::nullopt;
    case Packing::kGzip: return arrow::Compression::GZIP;
    case Packing::kZstd: return arrow::Compression::ZSTD;
    case Packing::kBzip2: return arrow::Compression::BZ2;
  }
  __builtin_unreachable();
}

// Keeps the codec alive as long as the stream that uses it.
class UnpackedStream final : public arrow::io::InputStream {
 public:
  UnpackedStream(std::unique_ptr<arrow::util::Codec> codec,
                 std::shared_ptr<arrow::io::InputStream> stream)
      : codec_(std::move(codec)), stream_(std::move(stream)) {}
  arrow::Status Close() override { return stream_->Close(); }
  bool closed() const override { return stream_->closed(); }
  arrow::Result<int64_t> Tell() const override { return stream_->Tell(); }
  arrow::Result<int64_t> Read(int64_t size, void* out) override { return stream_->Read(size, out); }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    return stream_->Read(size);
  }

 private:
  const std::unique_ptr<arrow::util::Codec> codec_;
  const std::shared_ptr<arrow::io::InputStream> stream_;
};

}  // namespace

Result<TextSource> TextSource::Open(const std::shared_ptr<SourceFile>& file, Packing packing,
                                    const std::string& name) {
  const auto codec = CodecOf(packing);
  if (!codec.has_value()) return TextSource(file, file, name);
  auto made = arrow::util::Codec::Create(*codec);
  if (!made.ok()) return Fail(Kind::kUnsupported, "'" + name + "': " + made.status().message());
  auto stream =
      arrow::io::CompressedInputStream::Make(made->get(), file, file->context().pool.get());
  if (!stream.ok()) return ReadError(stream.status(), *file, name, "its start");
  auto unpacked = std::make_shared<UnpackedStream>(std::move(*made), std::move(*stream));
  return TextSource(file, std::move(unpacked), name);
}

Result<int64_t> TextSource::ReadFully(uint8_t* out, int64_t size) {
  int64_t got = 0;
  while (got < size) {  // A packed stream may give less than it could.
    auto read = stream_->Read(size - got, out + got);
    if (!read.ok()) {
      const auto at = file_->Tell();
      return ReadError(read.status(), *file_, name_,
                       "byte " + std::to_string(at.ok() ? *at : int64_t{0}));
    }
    if (*read == 0) break;
    got += *read;
  }
  return got;
}

Result<std::shared_ptr<arrow::Buffer>> TextSource::Fill(std::string_view rest) {
  const auto kept = static_cast<int64_t>(rest.size());
  if (kept > kTextRowBytesMax) {
    return Fail(Kind::kExhausted,
                "'" + name_ + "' has a row above " + core::ToText(Bytes{kTextRowBytesMax}));
  }
  auto made = arrow::AllocateResizableBuffer(kept + kTextBlockBytes, file_->context().pool.get());
  if (!made.ok()) return ReadError(made.status(), *file_, name_, "");
  std::shared_ptr<arrow::ResizableBuffer> buffer = std::move(*made);
  if (kept > 0) std::memcpy(buffer->mutable_data(), rest.data(), rest.size());
  SHEAF_ASSIGN(const int64_t got, ReadFully(buffer->mutable_data() + kept, kTextBlockBytes));
  ended_ = got < kTextBlockBytes;
  const std::string_view text(reinterpret_cast<const char*>(buffer->data()),
                              static_cast<size_t>(kept + got));
  int64_t skip = 0;
  if (std::exchange(first_, false)) {
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
      return BadText(name_, "line 1", "this is UTF-16; only UTF-8 is read");
    }
    if (text.starts_with("\xef\xbb\xbf")) skip = 3;
  }
  return arrow::SliceBuffer(std::move(buffer), skip, kept + got - skip);
}

double TextSource::done() const {
  const auto at = file_->Tell();
  if (!at.ok() || file_->size() == 0) return 1;
  return std::min(1.0, static_cast<double>(*at) / static_cast<double>(file_->size()));
}

}  // namespace sheaf::files
