#include "sheaf/apps/sheaf/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "sheaf/drivers/files/files.h"

namespace sheaf::app {
namespace {

constexpr size_t kBytesMax = 1 << 20;

Error Failed(const std::string& path, int number) {
  return Fail(Kind::kDependency, path + ": " + std::generic_category().message(number));
}

// Closes itself.
struct Descriptor {
  explicit Descriptor(int number) : number(number) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int number;
};

Status WriteDraft(const std::string& path, std::string_view contents) {
  ::unlink(path.c_str());
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.number < 0) return Failed(path, errno);
  while (!contents.empty()) {
    const ssize_t wrote = ::write(file.number, contents.data(), contents.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failed(path, errno);
    contents.remove_prefix(static_cast<size_t>(wrote));
  }
  if (::fsync(file.number) != 0) return Failed(path, errno);
  return Done();
}

}  // namespace

Status WritePrivate(const std::string& path, std::string_view contents) {
  const std::string draft = path + ".draft";
  if (Status written = WriteDraft(draft, contents); !written.ok()) {
    ::unlink(draft.c_str());
    return written;
  }
  if (std::rename(draft.c_str(), path.c_str()) != 0) return Failed(path, errno);
  return files::OpenLocalFiles()->SyncDirectory(files::DirectoryOf(path));
}

Result<std::string> ReadPrivate(const std::string& path, std::string_view what) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number < 0 && errno == ENOENT) {
    return Fail(Kind::kNotFound, "there is no " + std::string(what) + " " + path);
  }
  struct stat facts {};
  if (file.number < 0 || ::fstat(file.number, &facts) != 0) return Failed(path, errno);
  if ((facts.st_mode & 077) != 0) {
    return Fail(Kind::kForbidden,
                "the " + std::string(what) + " " + path + " can be read by others; chmod 600 it");
  }
  std::string text;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t got = ::read(file.number, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(path, errno);
    if (got == 0) return text;
    text.append(block.data(), static_cast<size_t>(got));
    if (text.size() > kBytesMax) return Fail(Kind::kExhausted, path + " is larger than 1 MiB");
  }
}

bool IsThere(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace sheaf::app
