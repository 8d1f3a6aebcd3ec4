// A journal: checksummed records that only grow, of which a restart reads the longest valid prefix.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/core/result.h"
#include "sheaf/drivers/files/file_system.h"

namespace sheaf::files {

// A Journal is a row of segments `<name>.<number>` in a directory. A segment begins with a base
// (the whole state, as its owner wrote it) or continues the one before; each opening begins a new
// one, because files are never overwritten. Damage ends what is read: what follows is named, never
// removed while it may still be wanted.
//
// Owner: who opened it; `files` outlives it. One process at a time: its owner locks the directory.
// Threads: any. Blocking: Append never waits for the disk, all else does. Writers that wait at once
//   share one write and one sync.
// Errors: those of FileSystem, and kUnsupported for a format of later programs. After a failed
//   write or sync nothing is known of the disk: every later call gets that error, Effect::kUnknown.
// Limits: a record is as large as memory; what waits to be synced is what its writers wait for.
class Journal final {
 public:
  // Called for what is read, in order: a base at most once and first, then records. An error ends
  // the reading there, as damage does.
  struct Reader {
    std::function<Status(std::string_view base)> base;
    std::function<Status(std::string_view record)> record;
  };
  static Result<std::unique_ptr<Journal>> Open(FileSystem& files, std::string directory,
                                               std::string name, const Reader& reader);
  ~Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Takes the record; its number, greater than all before. Durable after SyncTo of that number.
  uint64_t Append(std::string_view record);
  Status SyncTo(uint64_t number);
  Status Write(std::string_view record) { return SyncTo(Append(record)); }

  // A new segment that begins with this base; from then on the records before are not read. The
  // former base and its records are kept until the next one. Nobody may append meanwhile.
  Status Rebase(std::string_view base);

  // What was found at the opening and not read, by file and place. A torn end is among it: nobody
  // can tell it from damage.
  const std::vector<std::string>& set_aside() const { return set_aside_; }
  // The files of it, for who wants to keep them: Rebase removes what is behind the base before.
  const std::set<std::string>& set_aside_files() const { return set_aside_files_; }
  // Something was written here once, and nothing at all of it can be read.
  bool unreadable() const { return unreadable_; }
  uint64_t records() const;  // Read and appended since the base.
  uint64_t bytes_since_base() const;
  size_t segments() const;

 private:
  struct Segment {
    uint64_t number = 0;
    bool has_base = false;
  };
  Journal(FileSystem& files, std::string directory, std::string name)
      : files_(files), directory_(std::move(directory)), name_(std::move(name)) {}
  std::string PathOf(uint64_t segment) const;
  // Beside the segments once the first of them is safe: tells damage from a first start.
  std::string MarkPath() const { return directory_ + "/" + name_ + ".begun"; }
  Status FindSegments();
  Status Read(const Reader& reader);
  // Reads one segment; false when the chain ends in it.
  Result<bool> ReadSegment(Segment& segment, bool first, const Reader& reader);
  Status ReadFrom(size_t first, const Reader& reader);
  Status Begin(const std::string* base);
  Status Flush(std::string bytes);

  FileSystem& files_;  // Borrowed from who opened this.
  const std::string directory_, name_;
  std::vector<std::string> set_aside_;
  std::set<std::string> set_aside_files_;
  bool unreadable_ = false;
  bool read_some_ = false;  // A base, a record, or a head with nothing behind it.

  mutable Mutex mutex_;
  CondVar synced_changed_;
  std::vector<Segment> segments_;  // Ascending; changed while nobody appends.
  std::unique_ptr<File> file_;     // Of the last segment; used by the one who flushes.
  std::string pending_ SHEAF_GUARDED_BY(mutex_);
  uint64_t last_ SHEAF_GUARDED_BY(mutex_) = 0;    // Number of the last record taken.
  uint64_t synced_ SHEAF_GUARDED_BY(mutex_) = 0;  // …and of the last that is durable.
  uint64_t base_ SHEAF_GUARDED_BY(mutex_) = 0;    // Records before this number are in the base.
  uint64_t bytes_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool flushing_ SHEAF_GUARDED_BY(mutex_) = false;
  Status failed_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::files
