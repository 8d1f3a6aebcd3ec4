// A plain file that is read from its beginning to its end, whole or line by line.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "sheaf/base/core/result.h"

namespace sheaf::app {

// Owner: who opened it. Threads: one. Blocking: all. Errors: say what is wrong without the path:
//   kNotFound, kForbidden, kInvalid (no plain file), kDependency, kExhausted (above a limit),
//   kConflict (it changed while it was read).
class SourceFile final {
 public:
  using Read = std::function<ssize_t(int, void*, size_t)>;
  // Links are not followed.
  static Result<SourceFile> Open(const std::string& path, const Read& read);
  SourceFile(SourceFile&& other) noexcept;
  SourceFile& operator=(SourceFile&&) = delete;
  ~SourceFile();

  // All that is left.
  Result<std::string> Rest(size_t bytes_max);

  struct Line {
    size_t number = 0;      // From 1; 0: there was none left.
    std::string_view text;  // Without its end, \n or \r\n; valid until the next call.
    bool too_long = false;  // And skipped.
  };
  Result<Line> Next(size_t bytes_max);
  // kConflict when it is not as it was when it was opened, or another number of bytes was read.
  Status CheckUnchanged() const;

 private:
  SourceFile(int fd, const struct stat& opened, Read read)
      : fd_(fd), opened_(opened), read_(std::move(read)) {}
  // Adds what comes next to what is known; false at the end.
  Result<bool> More();

  int fd_ = -1;
  const struct stat opened_;
  const Read read_;
  std::string known_;  // Read and not yet given.
  size_t given_ = 0;   // Of `known_`.
  size_t lines_ = 0;
  off_t bytes_ = 0;  // Read so far.
};

}  // namespace sheaf::app
