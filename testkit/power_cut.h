// A disk whose power can be cut: what was synced is kept apart from what was only written.
//
// Real files under one directory carry the present; beside them stands, in memory, what a restart
// would find. A test runs until the n-th write point, lets the power fail there, and gets the
// surviving state as a directory of its own: only what was synced, everything, or a random mix
// with torn writes. SQLite's files are seen through a VFS of the same disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/drivers/files/file_system.h"

namespace testkit {

// What is left after the power failed.
enum class Survival : uint8_t {
  kSynced,      // Only what was synced; a creation, rename or removal only if its directory was.
  kEverything,  // All that was written until the cut.
  kRandom,      // Of what was not synced: any part, torn anywhere; directories change in order.
};

// The facts of the disk. Threads: any.
class PowerCutDisk final {
 public:
  // What is below `root` already is durable.
  explicit PowerCutDisk(std::string root);

  // The power fails at the write point of this number (from 1); never by default.
  void CutAt(uint64_t point) { cut_at_ = point; }
  uint64_t points() const { return points_; }
  // A full disk: SQLite's files cannot grow. Nothing of what they hold changes.
  void FillUp() { full_ = true; }
  void MakeRoom() { full_ = false; }
  bool full() const { return full_; }
  // Since the beginning: syncs of files, and bytes written to them.
  uint64_t syncs() const { return syncs_; }
  uint64_t bytes_written() const { return bytes_written_; }
  bool off() const { return cut_at_ != 0 && points_ >= cut_at_; }
  const std::string& root() const { return root_; }

  // Each is one write point; false: the power is off, nothing happened but, of a write, a part.
  [[nodiscard]] bool Create(const std::string& path);
  [[nodiscard]] bool Write(const std::string& path, uint64_t offset, std::string_view bytes);
  [[nodiscard]] bool Truncate(const std::string& path, uint64_t size);
  [[nodiscard]] bool Sync(const std::string& path);
  [[nodiscard]] bool SyncDirectory(const std::string& path);
  [[nodiscard]] bool Rename(const std::string& from, const std::string& to);
  [[nodiscard]] bool Remove(const std::string& path);
  // The entry of one file of a directory, as SQLite does for its logs. No point of its own.
  void SyncEntry(const std::string& path);

  // What a restart finds, as files below `directory`, which is created.
  void Survive(const std::string& directory, Survival survival, uint64_t seed) const;

 private:
  struct Change {
    uint64_t offset = 0;
    std::string bytes;
    bool truncates = false;  // To `offset`.
  };
  struct Inode {
    std::string durable;
    std::vector<Change> pending;
  };
  struct Entry {
    std::string path;
    std::shared_ptr<Inode> inode;  // Null: removed.
  };
  using Inodes = std::map<std::string, std::shared_ptr<Inode>>;
  bool Point();
  static void Apply(const Change& change, size_t bytes, std::string& content);
  static std::string Content(const Inode& inode, Survival survival, std::mt19937_64& random);

  const std::string root_;
  mutable std::mutex mutex_;
  std::vector<std::string> directories_;
  Inodes present_;
  Inodes durable_;                                     // Paths as a restart finds them…
  std::map<std::string, std::vector<Entry>> pending_;  // …and by directory what came since.
  uint64_t points_ = 0;
  uint64_t syncs_ = 0;
  uint64_t bytes_written_ = 0;
  uint64_t cut_at_ = 0;
  std::atomic<bool> full_ = false;
};

// The disk as the house's file system.
class PowerCutFiles final : public sheaf::files::FileSystem {
 public:
  explicit PowerCutFiles(PowerCutDisk& disk);

  sheaf::Status CreateDirectories(const std::string& path) override;
  sheaf::Result<std::unique_ptr<sheaf::files::File>> Create(const std::string& path) override;
  sheaf::Result<std::unique_ptr<sheaf::files::File>> OpenToRead(const std::string& path) override;
  sheaf::Status Rename(const std::string& from, const std::string& to) override;
  sheaf::Status Remove(const std::string& path) override;
  sheaf::Status SyncDirectory(const std::string& path) override;
  sheaf::Result<std::vector<std::string>> List(const std::string& path) override;
  sheaf::Result<uint64_t> Size(const std::string& path) override;
  sheaf::Result<std::unique_ptr<sheaf::files::DirectoryLock>> Lock(
      const std::string& directory) override;

 private:
  PowerCutDisk& disk_;  // Borrowed from the test.
  const std::unique_ptr<sheaf::files::FileSystem> inner_;
};

// The disk as an SQLite VFS, registered under name() while it lives. Without shared memory: a
// write-ahead log needs `locking_mode = exclusive`.
class PowerCutVfs final {
 public:
  explicit PowerCutVfs(PowerCutDisk& disk);
  ~PowerCutVfs();
  PowerCutVfs(const PowerCutVfs&) = delete;
  PowerCutVfs& operator=(const PowerCutVfs&) = delete;
  const std::string& name() const;

 private:
  struct Vfs;
  const std::unique_ptr<Vfs> vfs_;
};

}  // namespace testkit
