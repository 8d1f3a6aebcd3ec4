#include "sheaf/drivers/duckdb/jail.h"

#include <filesystem>
#include <system_error>

#include "duckdb/common/exception.hpp"
#include "duckdb/common/multi_file/multi_file_list.hpp"

namespace sheaf::duckdb {

using Opener = ddb::optional_ptr<ddb::FileOpener>;

bool Jail::InSpill(const std::string& path) const {
  if (spill_.empty() || path.find("..") != std::string::npos) return false;
  return path == spill_ ||
         (path.size() > spill_.size() && path[spill_.size()] == '/' && path.starts_with(spill_));
}

void Jail::Check(bool allowed) const {
  if (allowed || Open()) return;
  // Neither the path nor whether it exists: both would tell about the machine.
  throw ddb::PermissionException("files cannot be reached from SQL: name them as inputs");
}

ddb::unique_ptr<ddb::FileHandle> Jail::OpenFile(const ddb::string& path, ddb::FileOpenFlags flags,
                                                Opener opener) {
  const bool writes = flags.OpenForWriting() || flags.OpenForAppending() ||
                      flags.CreateFileIfNotExists() || flags.OverwriteExistingFile();
  Check(writes ? InSpill(path) : MayRead(path));
  return LocalFileSystem::OpenFile(path, flags, opener);
}

bool Jail::DirectoryExists(const ddb::string& path, Opener opener) {
  Check(InSpill(path));
  return LocalFileSystem::DirectoryExists(path, opener);
}

void Jail::CreateDirectory(const ddb::string& path, Opener opener) {
  Check(InSpill(path));
  LocalFileSystem::CreateDirectory(path, opener);
}

void Jail::RemoveDirectory(const ddb::string& path, Opener opener) {
  if (Open() || InSpill(path)) LocalFileSystem::RemoveDirectory(path, opener);
}

void Jail::MoveFile(const ddb::string& source, const ddb::string& target, Opener opener) {
  Check(InSpill(source) && InSpill(target));
  LocalFileSystem::MoveFile(source, target, opener);
}

bool Jail::FileExists(const ddb::string& path, Opener opener) {
  Check(MayRead(path));
  return LocalFileSystem::FileExists(path, opener);
}

bool Jail::IsPipe(const ddb::string& path, Opener opener) {
  Check(MayRead(path));
  return LocalFileSystem::IsPipe(path, opener);
}

void Jail::RemoveFile(const ddb::string& path, Opener) {
  if (!Open() && !InSpill(path)) return;
  std::error_code ignored;  // Gone already, or not to be removed: the run's owner looks again.
  std::filesystem::remove(path, ignored);
}

bool Jail::ListFilesExtended(const ddb::string& directory,
                             const std::function<void(ddb::OpenFileInfo& info)>& callback,
                             Opener opener) {
  if (!Open() && !InSpill(directory)) return false;
  return LocalFileSystem::ListFilesExtended(directory, callback, opener);
}

ddb::unique_ptr<ddb::MultiFileList> Jail::GlobFilesExtended(const ddb::string& path,
                                                            const ddb::FileGlobInput& input,
                                                            Opener opener) {
  Check(MayRead(path));
  if (!Open()) {
    // A permitted name is a name, even with a `*` in it.
    ddb::vector<ddb::OpenFileInfo> one{ddb::OpenFileInfo(path)};
    return ddb::make_uniq<ddb::SimpleMultiFileList>(std::move(one));
  }
  return LocalFileSystem::GlobFilesExtended(path, input, opener);
}

}  // namespace sheaf::duckdb
