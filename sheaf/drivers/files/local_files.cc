#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "sheaf/drivers/files/file_system.h"

namespace sheaf::files {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

namespace {

constexpr size_t kPiecesMax = 512;  // Below IOV_MAX.

Error Failed(int number, std::string_view what, const std::string& path) {
  std::array<char, 128> text{};
  const char* said = ::strerror_r(number, text.data(), text.size());
  std::string message = std::string(what) + " " + path + ": " + said;
  switch (number) {
    case ENOENT: return Fail(Kind::kNotFound, std::move(message));
    case EEXIST: return Fail(Kind::kConflict, std::move(message));
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Fail(Kind::kExhausted, std::move(message));
    case EACCES:
    case EPERM:
    case EROFS: return Fail(Kind::kForbidden, std::move(message));
    default: return Fail(Kind::kDependency, std::move(message));
  }
}

// A descriptor that is closed.
class Descriptor final {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

Result<Descriptor> Open(const std::string& path, int flags) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
  } while (number < 0 && errno == EINTR);
  if (number < 0) return Failed(errno, "open", path);
  return Descriptor(number);
}

class LocalMapping final : public Mapping {
 public:
  LocalMapping(void* data, uint64_t size) : data_(data), size_(size) {}
  LocalMapping(const LocalMapping&) = delete;
  LocalMapping& operator=(const LocalMapping&) = delete;
  ~LocalMapping() override { ::munmap(data_, size_); }
  const uint8_t* data() const override { return static_cast<const uint8_t*>(data_); }
  uint64_t size() const override { return size_; }

 private:
  void* const data_;
  const uint64_t size_;
};

class LocalFile final : public File {
 public:
  LocalFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Status Append(std::span<const Piece> pieces) override {
    std::array<iovec, kPiecesMax> vectors;
    size_t next = 0;
    size_t skip = 0;  // Bytes of pieces[next] that are written.
    while (next < pieces.size()) {
      size_t count = 0;
      for (size_t i = next; i < pieces.size() && count < kPiecesMax; ++i) {
        const size_t done = i == next ? skip : 0;
        vectors[count++] = {const_cast<char*>(static_cast<const char*>(pieces[i].data)) + done,
                            pieces[i].size - done};
      }
      const ssize_t wrote = ::writev(descriptor_.get(), vectors.data(), static_cast<int>(count));
      if (wrote < 0) {
        if (errno == EINTR) continue;
        return Failed(errno, "write to", path_);
      }
      size_t left = static_cast<size_t>(wrote);
      while (next < pieces.size() && left >= pieces[next].size - skip) {
        left -= pieces[next].size - skip;
        skip = 0;
        ++next;
      }
      skip += left;
    }
    return Done();
  }

  Status Sync() override {
    if (::fdatasync(descriptor_.get()) != 0) return Failed(errno, "sync", path_);
    return Done();
  }

  void StartWriteback() override {
    ::sync_file_range(descriptor_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }

  Result<std::shared_ptr<const Mapping>> Map(uint64_t length) override {
    void* data = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor_.get(), 0);
    if (data == MAP_FAILED) return Failed(errno, "map", path_);
    return std::shared_ptr<const Mapping>(std::make_shared<LocalMapping>(data, length));
  }

  Result<uint64_t> Size() override {
    struct stat facts {};
    if (::fstat(descriptor_.get(), &facts) != 0) return Failed(errno, "stat", path_);
    return static_cast<uint64_t>(facts.st_size);
  }

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

class LocalLock final : public DirectoryLock {
 public:
  explicit LocalLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;  // Closing it ends the lock.
};

// "pid 4711 since <ticks after boot>": who holds a lock, for the one who is refused.
std::string Holder() {
  std::string since = "?";
  if (std::FILE* stat = std::fopen("/proc/self/stat", "re"); stat != nullptr) {
    std::array<char, 1024> text{};
    const size_t got = std::fread(text.data(), 1, text.size() - 1, stat);
    std::fclose(stat);
    // Field 22, counted from after the command's closing parenthesis (field 2).
    std::string_view rest(text.data(), got);
    rest.remove_prefix(std::min(rest.size(), rest.rfind(')') + 2));
    for (int field = 3; field < 22 && !rest.empty(); ++field) {
      rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
    }
    since = std::string(rest.substr(0, rest.find(' ')));
  }
  return "pid " + std::to_string(::getpid()) + " start " + since + "\n";
}

class LocalFileSystem final : public FileSystem {
 public:
  Status CreateDirectories(const std::string& path) override {
    for (size_t at = 1; at <= path.size(); ++at) {
      if (at < path.size() && path[at] != '/') continue;
      const std::string part = path.substr(0, at);
      if (::mkdir(part.c_str(), 0750) == 0) {
        SHEAF_TRY(SyncDirectory(DirectoryOf(part)));
      } else if (errno != EEXIST) {
        return Failed(errno, "create directory", part);
      }
    }
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return Failed(errno, "stat", path);
    if (!S_ISDIR(facts.st_mode)) return Fail(Kind::kConflict, path + " is not a directory");
    return Done();
  }

  Result<std::unique_ptr<File>> Create(const std::string& path) override {
    SHEAF_ASSIGN(auto opened, Open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND));
    return std::unique_ptr<File>(std::make_unique<LocalFile>(std::move(opened), path));
  }

  Result<std::unique_ptr<File>> OpenToRead(const std::string& path) override {
    SHEAF_ASSIGN(auto opened, Open(path, O_RDONLY));
    return std::unique_ptr<File>(std::make_unique<LocalFile>(std::move(opened), path));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return Failed(errno, "rename", from);
    return Done();
  }

  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return Failed(errno, "remove", path);
    return Done();
  }

  Status SyncDirectory(const std::string& path) override {
    SHEAF_ASSIGN(auto opened, Open(path, O_RDONLY | O_DIRECTORY));
    if (::fsync(opened.get()) != 0) return Failed(errno, "sync directory", path);
    return Done();
  }

  Result<std::vector<std::string>> List(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (directory == nullptr) return Failed(errno, "list", path);
    std::vector<std::string> names;
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(directory.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return Failed(errno, "list", path);
    return names;
  }

  Result<uint64_t> Size(const std::string& path) override {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return Failed(errno, "stat", path);
    return static_cast<uint64_t>(facts.st_size);
  }

  Result<std::unique_ptr<DirectoryLock>> Lock(const std::string& directory) override {
    const std::string path = directory + "/LOCK";
    SHEAF_ASSIGN(auto opened, Open(path, O_RDWR | O_CREAT));
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return Failed(errno, "lock", path);
      std::array<char, 128> text{};
      const ssize_t got = ::pread(opened.get(), text.data(), text.size() - 1, 0);
      std::string holder(text.data(), got > 0 ? static_cast<size_t>(got) : 0);
      while (!holder.empty() && holder.back() == '\n') holder.pop_back();
      return Fail(Kind::kConflict,
                  directory + " is in use by " + (holder.empty() ? "another process" : holder));
    }
    const std::string holder = Holder();
    if (::ftruncate(opened.get(), 0) != 0 ||
        ::pwrite(opened.get(), holder.data(), holder.size(), 0) < 0) {
      return Failed(errno, "write to", path);
    }
    return std::unique_ptr<DirectoryLock>(std::make_unique<LocalLock>(std::move(opened)));
  }
};

}  // namespace

std::unique_ptr<FileSystem> OpenLocalFiles() { return std::make_unique<LocalFileSystem>(); }

}  // namespace sheaf::files
