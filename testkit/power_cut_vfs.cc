#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <utility>

#include "sheaf/base/core/check.h"
#include "testkit/power_cut.h"

namespace testkit {
namespace {

// One open file: SQLite's own behind it, in the same piece of memory.
struct VfsFile {
  sqlite3_file base;
  PowerCutDisk* disk;   // Null: a temporary file, nobody misses it.
  std::string* path;
  bool entry_unsynced;  // A new log: its first sync takes the directory's entry along.
  sqlite3_file* inner;
};

VfsFile& Of(sqlite3_file* file) { return *reinterpret_cast<VfsFile*>(file); }
sqlite3_file* Inner(sqlite3_file* file) { return Of(file).inner; }

int Close(sqlite3_file* file) {
  VfsFile& mine = Of(file);
  const auto* methods = mine.inner->pMethods;
  const int code = methods == nullptr ? SQLITE_OK : methods->xClose(mine.inner);
  delete std::exchange(mine.path, nullptr);
  return code;
}
int Read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 at) {
  return Inner(file)->pMethods->xRead(Inner(file), to, bytes, at);
}
int Write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  VfsFile& mine = Of(file);
  sqlite3_int64 size = 0;
  if (mine.disk != nullptr && mine.disk->full() &&
      (mine.inner->pMethods->xFileSize(mine.inner, &size) != SQLITE_OK || at + bytes > size)) {
    return SQLITE_FULL;
  }
  const std::string_view text(static_cast<const char*>(from), static_cast<size_t>(bytes));
  if (mine.disk != nullptr && !mine.disk->Write(*mine.path, static_cast<uint64_t>(at), text)) {
    return SQLITE_IOERR_WRITE;
  }
  return mine.inner->pMethods->xWrite(mine.inner, from, bytes, at);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  VfsFile& mine = Of(file);
  if (mine.disk != nullptr && !mine.disk->Truncate(*mine.path, static_cast<uint64_t>(size))) {
    return SQLITE_IOERR_TRUNCATE;
  }
  return mine.inner->pMethods->xTruncate(mine.inner, size);
}
int Sync(sqlite3_file* file, int) {
  VfsFile& mine = Of(file);
  if (mine.disk == nullptr) return SQLITE_OK;
  if (!mine.disk->Sync(*mine.path)) return SQLITE_IOERR_FSYNC;
  if (std::exchange(mine.entry_unsynced, false)) mine.disk->SyncEntry(*mine.path);
  return SQLITE_OK;
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Inner(file)->pMethods->xFileSize(Inner(file), size);
}
int Lock(sqlite3_file* file, int kind) {
  return Inner(file)->pMethods->xLock(Inner(file), kind);
}
int Unlock(sqlite3_file* file, int kind) {
  return Inner(file)->pMethods->xUnlock(Inner(file), kind);
}
int CheckReservedLock(sqlite3_file* file, int* answer) {
  return Inner(file)->pMethods->xCheckReservedLock(Inner(file), answer);
}
int FileControl(sqlite3_file* file, int code, void* argument) {
  // What would write past us is not offered.
  if (code == SQLITE_FCNTL_SIZE_HINT || code == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
  return Inner(file)->pMethods->xFileControl(Inner(file), code, argument);
}
int SectorSize(sqlite3_file* file) { return Inner(file)->pMethods->xSectorSize(Inner(file)); }
int Characteristics(sqlite3_file* file) {
  return Inner(file)->pMethods->xDeviceCharacteristics(Inner(file));
}

const sqlite3_io_methods kMethods = {
    1,        Close, Read,   Write,             Truncate,    Sync,       FileSize,
    Lock,     Unlock, CheckReservedLock, FileControl, SectorSize, Characteristics,
    nullptr,  nullptr, nullptr, nullptr, nullptr, nullptr};

struct Shared {
  PowerCutDisk* disk;
  sqlite3_vfs* inner;
};
Shared& SharedOf(sqlite3_vfs* vfs) { return *static_cast<Shared*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  Shared& shared = SharedOf(vfs);
  VfsFile& mine = Of(file);
  mine.base.pMethods = nullptr;
  mine.inner = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(VfsFile));
  mine.disk = name == nullptr ? nullptr : shared.disk;
  mine.entry_unsynced = false;
  if (mine.disk != nullptr) {
    int exists = 0;
    shared.inner->xAccess(shared.inner, name, SQLITE_ACCESS_EXISTS, &exists);
    if (exists == 0 && (flags & SQLITE_OPEN_CREATE) != 0) {
      if (!mine.disk->Create(name)) return SQLITE_CANTOPEN;
      mine.entry_unsynced =
          (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
    }
  }
  const int code = shared.inner->xOpen(shared.inner, name, mine.inner, flags, out_flags);
  if (code != SQLITE_OK) return code;
  mine.path = new std::string(name == nullptr ? "" : name);
  mine.base.pMethods = &kMethods;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  Shared& shared = SharedOf(vfs);
  int exists = 0;
  shared.inner->xAccess(shared.inner, name, SQLITE_ACCESS_EXISTS, &exists);
  if (exists == 0) return SQLITE_IOERR_DELETE_NOENT;
  if (!shared.disk->Remove(name)) return SQLITE_IOERR_DELETE;
  const int code = shared.inner->xDelete(shared.inner, name, 0);
  if (code != SQLITE_OK || sync_directory == 0) return code;
  return shared.disk->SyncDirectory(sheaf::files::DirectoryOf(name)) ? SQLITE_OK
                                                                     : SQLITE_IOERR_DIR_FSYNC;
}
int Access(sqlite3_vfs* vfs, const char* name, int flags, int* answer) {
  sqlite3_vfs* inner = SharedOf(vfs).inner;
  return inner->xAccess(inner, name, flags, answer);
}
int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
  sqlite3_vfs* inner = SharedOf(vfs).inner;
  return inner->xFullPathname(inner, name, size, out);
}

}  // namespace

struct PowerCutVfs::Vfs {
  sqlite3_vfs vfs{};
  Shared shared{};
  std::string name;
};

PowerCutVfs::PowerCutVfs(PowerCutDisk& disk) : vfs_(std::make_unique<Vfs>()) {
  static std::atomic<int> count{0};
  sqlite3_vfs* inner = ::sqlite3_vfs_find(nullptr);
  SHEAF_CHECK(inner != nullptr);
  vfs_->name = "power_cut_" + std::to_string(++count);
  vfs_->shared = {&disk, inner};
  vfs_->vfs = *inner;  // Time, chance and libraries stay SQLite's own.
  vfs_->vfs.pNext = nullptr;
  vfs_->vfs.zName = vfs_->name.c_str();
  vfs_->vfs.pAppData = &vfs_->shared;
  vfs_->vfs.szOsFile = static_cast<int>(sizeof(VfsFile)) + inner->szOsFile;
  vfs_->vfs.xOpen = Open;
  vfs_->vfs.xDelete = Delete;
  vfs_->vfs.xAccess = Access;
  vfs_->vfs.xFullPathname = FullPathname;
  SHEAF_CHECK(::sqlite3_vfs_register(&vfs_->vfs, 0) == SQLITE_OK);
}

PowerCutVfs::~PowerCutVfs() { ::sqlite3_vfs_unregister(&vfs_->vfs); }

const std::string& PowerCutVfs::name() const { return vfs_->name; }

}  // namespace testkit
