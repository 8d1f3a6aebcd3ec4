// Local file operations that can be taken away: the machine's, or a test's that loses power.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/result.h"

namespace sheaf::files {

// Bytes borrowed for one call.
struct Piece {
  const void* data = nullptr;
  size_t size = 0;
};

// A file's bytes in memory, read-only; unmapped when the last holder lets go. The file may be
// removed meanwhile, not shortened.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual const uint8_t* data() const = 0;
  virtual uint64_t size() const = 0;
};

// An open file. Appending and mapping only: nothing here overwrites.
//
// Owner: who opened it. Threads: Append and Sync one at a time; Map and Size beside them.
// Blocking: all. Errors: kExhausted (no space), kDependency (the disk); both name the path.
class File {
 public:
  virtual ~File() = default;
  // All pieces one after another at the end. After an error the end is somewhere between.
  virtual Status Append(std::span<const Piece> pieces) = 0;
  // Data and length are on the disk; the directory's entry is not (SyncDirectory).
  virtual Status Sync() = 0;
  // Asks the disk to begin with what was appended; promises nothing.
  virtual void StartWriteback() = 0;
  // The first `length` bytes; may be more than the file has now: those may be read once written.
  virtual Result<std::shared_ptr<const Mapping>> Map(uint64_t length) = 0;
  virtual Result<uint64_t> Size() = 0;
};

// Held while the process lives; another process is refused meanwhile.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

// Threads: any. Blocking: all. Errors: kNotFound, kConflict (Create of what exists, Lock),
// kExhausted (no space), kForbidden (permission), kDependency; all name the path.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Creates what is missing of `path`, to last.
  virtual Status CreateDirectories(const std::string& path) = 0;
  virtual Result<std::unique_ptr<File>> Create(const std::string& path) = 0;  // Must not exist.
  virtual Result<std::unique_ptr<File>> OpenToRead(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // Replaces.
  virtual Status Remove(const std::string& path) = 0;
  // Makes creations, renames and removals in the directory last.
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;  // Names, unordered.
  virtual Result<uint64_t> Size(const std::string& path) = 0;
  // Locks the directory for this process through a file `LOCK` in it; kConflict names the holder.
  virtual Result<std::unique_ptr<DirectoryLock>> Lock(const std::string& directory) = 0;
};

// The path without its last component; "." when it has but one.
std::string DirectoryOf(const std::string& path);

// The machine's file system.
std::unique_ptr<FileSystem> OpenLocalFiles();

}  // namespace sheaf::files
