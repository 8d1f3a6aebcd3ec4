// The directories that are open to the service, and the way from a name to a file below them.
//
// Symbolic links are followed here, one component at a time, so that nothing outside of the roots
// is ever looked at: a name that leads out is refused with the same words whether or not there is
// anything at its end.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::files {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { Reset(); }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() noexcept;
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Something below a root, every symbolic link on its way resolved.
struct Place {
  std::string root;                // Canonical path of the root.
  std::vector<std::string> parts;  // Below it; no links, no "." or "..".
  struct stat facts {};            // Of the thing itself.

  std::string Path() const;
  bool IsDirectory() const { return S_ISDIR(facts.st_mode); }
  bool IsFile() const { return S_ISREG(facts.st_mode); }
};

// A value. Threads: any. Blocking: stats files.
class Roots {
 public:
  // A list of strings, or one string with commas; kInvalid names what is wrong. Relative ones
  // are below `here`. A directory need not exist yet.
  static Result<Roots> FromSetting(const Json& setting, const std::string& here);

  bool empty() const { return roots_.empty(); }
  size_t size() const { return roots_.size(); }
  // "/data, /more", as configured, for errors.
  std::string Names() const;

  // The place of `below` (no "..", not absolute) in root number `root`.
  // kNotFound, kForbidden (a link leads out), kFailed (no permission, a loop).
  Result<Place> Walk(size_t root, std::string_view below) const;

  // The root that an absolute path lies in, and the path below it. The outermost if several.
  struct Inside {
    size_t root;
    std::string below;
  };
  Result<Inside> Locate(const std::string& absolute) const;

 private:
  struct Root {
    std::string named;    // As configured.
    std::string spelled;  // Absolute, as spelled.
  };
  std::string Canonical(size_t root) const;  // Empty when the root does not exist.

  std::vector<Root> roots_;
};

// Opens a place, refusing to follow any link: what a link has replaced since the walk fails.
// `flags` are added to O_RDONLY | O_CLOEXEC | O_NOFOLLOW. kNotFound, kFailed.
Result<Descriptor> OpenPlace(const Place& place, int flags);

// "a//b/./c" as parts; kForbidden for "..", kInvalid for NUL and over-long paths.
Result<std::vector<std::string>> SplitPath(std::string_view path);

}  // namespace sheaf::files
