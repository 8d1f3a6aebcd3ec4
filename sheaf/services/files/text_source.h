// The bytes of a text file, unpacked, in blocks that begin where the last one was cut.
#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"
#include "sheaf/services/files/source_file.h"
#include "sheaf/services/files/spec.h"

namespace sheaf::files {

inline constexpr int64_t kTextBlockBytes = 1 << 20;
inline constexpr int64_t kTextRowBytesMax = 16 << 20;  // One row or object.

// Owner: one reader. Threads: one at a time. Blocking: waits for the disk.
class TextSource {
 public:
  static Result<TextSource> Open(const std::shared_ptr<SourceFile>& file, Packing packing,
                                 const std::string& name);

  // `rest`, what was left of the block before, and up to kTextBlockBytes after it. A byte order
  // mark at the start is left out. kFailed for UTF-16, kExhausted for a `rest` above the limit.
  Result<std::shared_ptr<arrow::Buffer>> Fill(std::string_view rest);
  bool ended() const { return ended_; }  // Nothing comes after the last block.
  double done() const;

 private:
  TextSource(std::shared_ptr<SourceFile> file, std::shared_ptr<arrow::io::InputStream> stream,
             std::string name)
      : file_(std::move(file)), stream_(std::move(stream)), name_(std::move(name)) {}
  Result<int64_t> ReadFully(uint8_t* out, int64_t size);

  std::shared_ptr<SourceFile> file_;                // Shared with `stream_`.
  std::shared_ptr<arrow::io::InputStream> stream_;  // Shared as Arrow's streams are.
  std::string name_;
  bool first_ = true;
  bool ended_ = false;
};

}  // namespace sheaf::files
