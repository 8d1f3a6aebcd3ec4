// A file system in which only what was permitted exists; for this room's own sources only.
#pragma once

#include <atomic>
#include <string>
#include <unordered_set>

#include "duckdb/common/local_file_system.hpp"
#include "sheaf/drivers/duckdb/foreign.h"

namespace sheaf::duckdb {

// The last of three walls (gate, catalog, file system): whatever SQL reaches for, files named by
// Permit can be read, and below the spill directory anything can be done, and nothing else.
//
// Removing what is not permitted does nothing and lists nothing, quietly: DuckDB removes its spill
// in destructors, where an exception ends the process.
//
// Threads: Permit and Close before the first foreign statement, from one thread; the rest any.
class Jail final : public ddb::LocalFileSystem {
 public:
  void PermitReads(std::unordered_set<std::string> files) { files_ = std::move(files); }
  void PermitSpill(std::string directory) { spill_ = std::move(directory); }
  // Until then everything is open: DuckDB looks at its machine when it starts.
  void Close() { closed_.store(true); }

  ddb::unique_ptr<ddb::FileHandle> OpenFile(const ddb::string& path, ddb::FileOpenFlags flags,
                                            ddb::optional_ptr<ddb::FileOpener> opener) override;
  bool DirectoryExists(const ddb::string& path, ddb::optional_ptr<ddb::FileOpener> opener) override;
  void CreateDirectory(const ddb::string& path, ddb::optional_ptr<ddb::FileOpener> opener) override;
  void RemoveDirectory(const ddb::string& path, ddb::optional_ptr<ddb::FileOpener> opener) override;
  void MoveFile(const ddb::string& source, const ddb::string& target,
                ddb::optional_ptr<ddb::FileOpener> opener) override;
  bool FileExists(const ddb::string& path, ddb::optional_ptr<ddb::FileOpener> opener) override;
  bool IsPipe(const ddb::string& path, ddb::optional_ptr<ddb::FileOpener> opener) override;
  void RemoveFile(const ddb::string& path, ddb::optional_ptr<ddb::FileOpener> opener) override;

 protected:
  bool ListFilesExtended(const ddb::string& directory,
                         const std::function<void(ddb::OpenFileInfo& info)>& callback,
                         ddb::optional_ptr<ddb::FileOpener> opener) override;
  ddb::unique_ptr<ddb::MultiFileList> GlobFilesExtended(
      const ddb::string& path, const ddb::FileGlobInput& input,
      ddb::optional_ptr<ddb::FileOpener> opener) override;

 private:
  bool Open() const { return !closed_.load(std::memory_order_relaxed); }
  bool MayRead(const std::string& path) const { return files_.count(path) > 0 || InSpill(path); }
  bool InSpill(const std::string& path) const;
  void Check(bool allowed) const;

  std::unordered_set<std::string> files_;
  std::string spill_;
  std::atomic<bool> closed_{false};
};

}  // namespace sheaf::duckdb
