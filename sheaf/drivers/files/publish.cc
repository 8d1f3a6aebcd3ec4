#include "sheaf/drivers/files/publish.h"

#include <algorithm>

namespace sheaf::files {
namespace {

Status WriteAndSync(FileSystem& files, const std::string& path, std::string_view contents) {
  SHEAF_ASSIGN(auto file, files.Create(path));
  const Piece piece{contents.data(), contents.size()};
  SHEAF_TRY(file->Append({&piece, 1}));
  return file->Sync();
}

}  // namespace

Status Publish(FileSystem& files, const std::string& path, std::string_view contents) {
  const std::string draft = path + ".new";
  if (Status removed = files.Remove(draft); !removed.ok()) {
    if (removed.error().kind != Kind::kNotFound) return removed;
  }
  if (Status written = WriteAndSync(files, draft, contents); !written.ok()) {
    (void)files.Remove(draft);
    return written;
  }
  SHEAF_TRY(files.Rename(draft, path));
  if (Status synced = files.SyncDirectory(DirectoryOf(path)); !synced.ok()) {
    Error error = std::move(synced).error();
    error.effect = Effect::kUnknown;
    return error;
  }
  return Done();
}

Result<std::string> ReadWhole(FileSystem& files, const std::string& path, uint64_t bytes_max) {
  SHEAF_ASSIGN(auto file, files.OpenToRead(path));
  SHEAF_ASSIGN(const uint64_t size, file->Size());
  if (size > bytes_max) {
    return Fail(Kind::kExhausted, path + " has " + std::to_string(size) + " bytes, limit " +
                                      std::to_string(bytes_max));
  }
  if (size == 0) return std::string();
  SHEAF_ASSIGN(auto mapping, file->Map(size));
  return std::string(reinterpret_cast<const char*>(mapping->data()), size);
}

}  // namespace sheaf::files
