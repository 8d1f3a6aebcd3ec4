#include "sheaf/apps/sheaf/source_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sheaf::app {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

Error Failed(int code) {
  const std::string what = std::generic_category().message(code);
  if (code == ENOENT) return Fail(Kind::kNotFound, what);
  if (code == EACCES || code == EPERM) return Fail(Kind::kForbidden, what);
  if (code == ELOOP) return Fail(Kind::kInvalid, "a symbolic link");
  return Fail(Kind::kDependency, what);
}

Error TooLarge(size_t bytes_max) {
  return Fail(Kind::kExhausted, "more than " + std::to_string(bytes_max) + " bytes");
}

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

Result<SourceFile> SourceFile::Open(const std::string& path, const Read& read) {
  // Without waiting for a writer of a pipe.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return Failed(errno);
  struct stat opened {};
  if (::fstat(fd, &opened) != 0 || !S_ISREG(opened.st_mode)) {
    ::close(fd);
    return Fail(Kind::kInvalid, "no plain file");
  }
  return SourceFile(fd, opened, read ? read : Read(::read));
}

SourceFile::SourceFile(SourceFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      opened_(other.opened_),
      read_(other.read_),
      known_(std::move(other.known_)),
      given_(other.given_),
      lines_(other.lines_),
      bytes_(other.bytes_) {}

SourceFile::~SourceFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<bool> SourceFile::More() {
  known_.erase(0, std::exchange(given_, 0));
  const size_t before = known_.size();
  known_.resize(before + kReadBytes);
  while (true) {
    const ssize_t got = read_(fd_, known_.data() + before, kReadBytes);
    if (got < 0 && errno == EINTR) continue;
    const int code = errno;
    known_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) return Failed(code);
    bytes_ += got;
    return got > 0;
  }
}

Result<std::string> SourceFile::Rest(size_t bytes_max) {
  while (true) {
    if (known_.size() - given_ > bytes_max) return TooLarge(bytes_max);
    SHEAF_ASSIGN(const bool more, More());
    if (more) continue;
    return std::exchange(known_, {});
  }
}

Result<SourceFile::Line> SourceFile::Next(size_t bytes_max) {
  size_t looked = given_;
  bool too_long = false;
  while (true) {
    const size_t end = known_.find('\n', looked);
    const bool found = end != std::string::npos;
    if ((found ? end : known_.size()) - given_ > bytes_max) {
      too_long = true;
      given_ = found ? end : known_.size();
    }
    bool more = true;
    if (!found) {
      looked = known_.size() - given_;
      SHEAF_ASSIGN(more, More());
    }
    if (!found && more) continue;
    if (!found && given_ == known_.size() && !too_long) return Line();
    const size_t stop = found ? end : known_.size();
    std::string_view text = std::string_view(known_).substr(given_, stop - given_);
    if (text.ends_with('\r')) text.remove_suffix(1);
    given_ = found ? stop + 1 : stop;
    return Line{++lines_, too_long ? std::string_view() : text, too_long};
  }
}

Status SourceFile::CheckUnchanged() const {
  struct stat now {};
  if (::fstat(fd_, &now) != 0) return Failed(errno);
  if (now.st_size == opened_.st_size && bytes_ == now.st_size &&
      SameTime(now.st_mtim, opened_.st_mtim) && SameTime(now.st_ctim, opened_.st_ctim)) {
    return Done();
  }
  return Fail(Kind::kConflict, "it changed while it was read");
}

}  // namespace sheaf::app
