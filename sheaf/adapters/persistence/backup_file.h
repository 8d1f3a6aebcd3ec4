// A backup as a file: checksummed frames, whole or not at all. docs/formats/backup.md describes it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sheaf/base/core/result.h"
#include "sheaf/drivers/files/file_system.h"

namespace sheaf::persistence {

enum class Frame : uint32_t {
  kHead = 1,  // JSON: what the file is. The first, and the only one of its kind.
  kPage = 2,  // Rows of one table as an Arrow IPC stream.
  kTail = 3,  // JSON: how many rows. The last.
};

// Owner: who writes it; `files` outlives it. Threads: one. What was not finished leaves nothing.
class BackupWriter final {
 public:
  // kConflict when `path` is a file with bytes that is no backup, the database itself above all.
  static Result<std::unique_ptr<BackupWriter>> Open(files::FileSystem& files, std::string path);
  ~BackupWriter();
  BackupWriter(const BackupWriter&) = delete;
  BackupWriter& operator=(const BackupWriter&) = delete;

  Status Write(Frame kind, std::string_view payload);
  // After the tail: the file has its name, to last; what had it before is replaced.
  // Effect::kUnknown when the last step failed.
  Status Finish();
  int64_t bytes() const { return bytes_; }

 private:
  BackupWriter(files::FileSystem& files, std::string path);
  Status Append(std::string_view head, std::string_view payload, std::string_view padding);

  files::FileSystem& files_;
  const std::string path_, draft_;
  std::unique_ptr<files::File> file_;  // Null: finished.
  uint32_t frames_ = 0;
  int64_t bytes_ = 0;
};

// Reads every frame in order; an error of `take` ends it. kCorrupt says at which byte the file is
// damaged; kUnsupported names a format of later programs. The payload lives for the call.
Status ReadBackup(files::FileSystem& files, const std::string& path,
                  const std::function<Status(Frame, std::string_view payload)>& take);

}  // namespace sheaf::persistence
