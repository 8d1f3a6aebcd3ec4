#include "sheaf/services/files/roots.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "sheaf/services/files/errors.h"

namespace sheaf::files {
namespace {

constexpr int kLinksMax = 40;
constexpr size_t kPartsMax = 256;
constexpr size_t kPathBytesMax = 4096;

std::vector<std::string> Cut(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path += "/" + part;
  return path.empty() ? "/" : path;
}

// What follows `prefix` in `path`, both absolute and cut; nothing when it does not begin so.
std::optional<std::vector<std::string>> Below(const std::vector<std::string>& path,
                                              const std::vector<std::string>& prefix) {
  if (path.size() < prefix.size()) return std::nullopt;
  if (!std::equal(prefix.begin(), prefix.end(), path.begin())) return std::nullopt;
  return std::vector<std::string>(path.begin() + static_cast<ptrdiff_t>(prefix.size()), path.end());
}

std::string Why(int error) { return std::strerror(error); }

Result<std::string> ReadLink(const std::string& path, std::string_view shown) {
  std::string target(kPathBytesMax, '\0');
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return CannotOpen(shown, Why(errno));
  if (static_cast<size_t>(size) == target.size()) return CannotOpen(shown, "link too long");
  target.resize(static_cast<size_t>(size));
  return target;
}

}  // namespace

void Descriptor::Reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string Place::Path() const {
  std::string path = root == "/" ? "" : root;
  for (const std::string& part : parts) path += "/" + part;
  return path.empty() ? "/" : path;
}

Result<std::vector<std::string>> SplitPath(std::string_view path) {
  if (path.size() > kPathBytesMax) return Fail(Kind::kInvalid, "a path of more than 4096 bytes");
  if (path.find('\0') != std::string_view::npos) {
    return Fail(Kind::kInvalid, "a path with a NUL character");
  }
  std::vector<std::string> parts = Cut(path);
  if (parts.size() > kPartsMax) return Fail(Kind::kInvalid, "a path of more than 256 parts");
  for (const std::string& part : parts) {
    if (part == "..") return Fail(Kind::kForbidden, "'..' is not allowed in a path");
  }
  return parts;
}

Result<Roots> Roots::FromSetting(const Json& setting, const std::string& here) {
  std::vector<std::string> names;
  if (setting.is_string()) {
    std::string_view rest = setting.get_ref<const std::string&>();
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      std::string_view name = rest.substr(0, comma);
      while (name.starts_with(' ')) name.remove_prefix(1);
      while (name.ends_with(' ')) name.remove_suffix(1);
      if (!name.empty()) names.emplace_back(name);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  } else if (setting.is_array()) {
    for (const Json& name : setting) {
      if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
        return BadSpec("files.roots", "must be a list of directories");
      }
      names.push_back(name.get<std::string>());
    }
  } else if (!setting.is_null()) {
    return BadSpec("files.roots", "must be a list of directories");
  }
  Roots roots;
  for (std::string& name : names) {
    std::string spelled = name.starts_with('/') ? name : here + "/" + name;
    roots.roots_.push_back({std::move(name), std::move(spelled)});
  }
  return roots;
}

std::string Roots::Names() const {
  std::string text;
  for (const Root& root : roots_) text += (text.empty() ? "" : ", ") + root.named;
  return text;
}

std::string Roots::Canonical(size_t root) const {
  std::string canonical(PATH_MAX, '\0');
  if (::realpath(roots_[root].spelled.c_str(), canonical.data()) == nullptr) return "";
  canonical.resize(std::strlen(canonical.c_str()));
  return canonical;
}

Result<Roots::Inside> Roots::Locate(const std::string& absolute) const {
  const std::vector<std::string> path = Cut(absolute);
  std::optional<Inside> best;
  size_t best_depth = 0;
  for (size_t n = 0; n < roots_.size(); ++n) {
    for (const std::string& spelling : {roots_[n].spelled, Canonical(n)}) {
      if (spelling.empty()) continue;
      const std::vector<std::string> prefix = Cut(spelling);
      const auto below = Below(path, prefix);
      if (!below.has_value() || (best.has_value() && prefix.size() >= best_depth)) continue;
      best = Inside{n, below->empty() ? std::string() : Join(*below).substr(1)};
      best_depth = prefix.size();
    }
  }
  if (!best.has_value()) return OutsideRoots(absolute);
  return std::move(*best);
}

Result<Place> Roots::Walk(size_t root, std::string_view below) const {
  Place place{Canonical(root), {}, {}};
  if (place.root.empty()) return NoFile(below, roots_[root].named);
  std::deque<std::string> todo;
  for (std::string& part : Cut(below)) todo.push_back(std::move(part));
  if (::lstat(place.root.c_str(), &place.facts) != 0) return NoFile(below, roots_[root].named);
  int links = 0;
  while (!todo.empty()) {
    std::string part = std::move(todo.front());
    todo.pop_front();
    if (part == "..") {  // Only ever out of a link; names from outside have none.
      if (place.parts.empty()) return OutsideRoots(below);
      place.parts.pop_back();
    } else {
      place.parts.push_back(std::move(part));
    }
    if (place.parts.size() > kPartsMax) return CannotOpen(below, "too deep");
    const std::string path = place.Path();
    if (::lstat(path.c_str(), &place.facts) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return NoFile(below, roots_[root].named);
      return CannotOpen(below, Why(errno));
    }
    if (!todo.empty() && S_ISREG(place.facts.st_mode)) return NoFile(below, roots_[root].named);
    if (!S_ISLNK(place.facts.st_mode)) continue;
    if (++links > kLinksMax) return CannotOpen(below, "too many symbolic links");
    SHEAF_ASSIGN(const std::string target, ReadLink(path, below));
    place.parts.pop_back();
    std::vector<std::string> next = Cut(target);
    if (target.starts_with('/')) {
      const auto inside = Locate(target);
      if (!inside.ok()) return OutsideRoots(below);
      place.root = Canonical(inside->root);
      place.parts.clear();
      next = Cut(inside->below);
    }
    todo.insert(todo.begin(), next.begin(), next.end());
    // A link to the root itself, or to its own directory, leaves nothing to look at but this.
    if (::lstat(place.Path().c_str(), &place.facts) != 0) return CannotOpen(below, Why(errno));
  }
  return place;
}

Result<Descriptor> OpenPlace(const Place& place, int flags) {
  constexpr int kEvery = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
  const bool is_root = place.parts.empty();
  Descriptor at(::open(place.root.c_str(), kEvery | O_DIRECTORY | (is_root ? flags : O_PATH)));
  for (size_t n = 0; at && n < place.parts.size(); ++n) {
    const bool last = n + 1 == place.parts.size();
    const int how = last ? kEvery | flags : kEvery | O_PATH | O_DIRECTORY;
    at = Descriptor(::openat(at.get(), place.parts[n].c_str(), how));
  }
  if (at) return at;
  const int error = errno;
  if (error == ENOENT) return Fail(Kind::kNotFound, "the file was removed");
  if (error == ELOOP || error == ENOTDIR) {
    return Fail(Kind::kForbidden, "a symbolic link took its place");
  }
  return Fail(Kind::kFailed, Why(error));
}

}  // namespace sheaf::files
