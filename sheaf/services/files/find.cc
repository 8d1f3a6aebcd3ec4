#include "sheaf/services/files/find.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/glob.h"

namespace sheaf::files {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Finds what one spec names, counting what it looks at.
class Finder {
 public:
  Finder(const Spec& spec, const Roots& roots) : spec_(spec), roots_(roots) {}

  Result<Found> Run() {
    for (const std::string& uri : spec_.uris) SHEAF_TRY(AddUri(uri));
    SHEAF_TRY(AgreeOnFormat());
    return std::move(found_);
  }

 private:
  enum class Outcome : uint8_t { kDone, kNothing };
  struct Base {
    size_t root = 0;
    std::string prefix;  // What names are shown with: "/data/" for absolute ones.
  };

  Status AddUri(const std::string& uri) {
    SHEAF_ASSIGN(const std::string path, PathOfUri(uri));
    SHEAF_ASSIGN(const auto parts, SplitPath(path));
    if (path.starts_with('/')) {
      auto inside = roots_.Locate(path);
      if (!inside.ok()) return OutsideRoots(uri);
      const std::string& below = inside->below;
      const Base base{inside->root, path.substr(0, path.size() - below.size())};
      SHEAF_ASSIGN(const Outcome outcome, AddBelow(base, uri, below));
      return outcome == Outcome::kDone ? Done() : Missing(uri, below);
    }
    std::string below;
    for (const std::string& part : parts) below += (below.empty() ? "" : "/") + part;
    for (size_t root = 0; root < roots_.size(); ++root) {
      SHEAF_ASSIGN(const Outcome outcome, AddBelow({root, ""}, uri, below));
      if (outcome == Outcome::kDone) return Done();
    }
    return Missing(uri, below);
  }

  Status Missing(const std::string& uri, const std::string& below) const {
    if (HasMagic(below)) return EmptyGlob(uri, roots_.Names());
    return NoFile(uri, roots_.Names());
  }

  // What `below` means in one root: a file, a directory, or a pattern.
  Result<Outcome> AddBelow(const Base& base, const std::string& uri, const std::string& below) {
    auto place = roots_.Walk(base.root, below);
    if (place.ok()) {
      if (place->IsDirectory()) return AddDirectory(base, uri, below);
      if (!place->IsFile()) return NotRegular(uri);
      SHEAF_TRY(Add(uri, std::move(*place)));
      return Outcome::kDone;
    }
    if (place.error().kind == Kind::kForbidden) return OutsideRoots(uri);
    if (place.error().kind != Kind::kNotFound) return std::move(place).error();
    if (!HasMagic(below)) return Outcome::kNothing;
    SHEAF_ASSIGN(const auto parts, SplitPath(below));
    std::vector<std::string> names;
    SHEAF_TRY(Expand(base, "", parts, 0, 0, names));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string& name : names) {
      auto match = roots_.Walk(base.root, name);
      if (!match.ok() && match.error().kind == Kind::kForbidden) {
        return OutsideRoots(base.prefix + name);
      }
      if (!match.ok() && match.error().kind == Kind::kNotFound) continue;  // A dangling link.
      if (!match.ok()) return std::move(match).error();
      if (match->IsFile()) SHEAF_TRY(Add(base.prefix + name, std::move(*match)));
    }
    return std::exchange(matched_, false) ? Outcome::kDone : Outcome::kNothing;
  }

  Result<Outcome> AddDirectory(const Base& base, const std::string& uri, const std::string& below) {
    std::vector<std::string> names;
    SHEAF_TRY(Below(base, below, 0, names));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const auto facts = FactsOfName(name);
      if (!facts.has_value()) continue;
      if (spec_.format.has_value() && facts->format != *spec_.format) continue;
      auto place = roots_.Walk(base.root, name);
      if (!place.ok() && place.error().kind == Kind::kForbidden) {
        return OutsideRoots(base.prefix + name);
      }
      if (!place.ok() && place.error().kind == Kind::kNotFound) continue;
      if (!place.ok()) return std::move(place).error();
      if (place->IsFile()) SHEAF_TRY(Add(base.prefix + name, std::move(*place)));
    }
    if (std::exchange(matched_, false)) return Outcome::kDone;
    const std::string wanted = spec_.format.has_value()
                                   ? std::string(FormatName(*spec_.format)) + " file by its suffix"
                                   : "data file (" + KnownSuffixes() + ")";
    return EmptyDirectory(uri, wanted);
  }

  Status Add(std::string name, Place place) {
    if (found_.files.size() == kFilesMax) return TooMany("files", kFilesMax);
    FoundFile file;
    const auto facts = FactsOfName(name);
    if (facts.has_value()) file.facts = *facts;
    if (spec_.format.has_value()) {
      file.facts.format = *spec_.format;
      if (!facts.has_value()) file.facts.packing = PackingOfName(name);
    } else if (!facts.has_value()) {
      return BadSpec("spec.format", "'" + name + "' has no known suffix (" + KnownSuffixes() +
                                        "); say the format");
    }
    file.name = std::move(name);
    file.size = place.facts.st_size;
    file.place = std::move(place);
    found_.files.push_back(std::move(file));
    matched_ = true;
    return Done();
  }

  Status AgreeOnFormat() {
    found_.format = found_.files.front().facts.format;
    for (const FoundFile& file : found_.files) {
      if (file.facts.format == found_.format) continue;
      return BadSpec("spec.format",
                     "'" + found_.files.front().name + "' is " +
                         std::string(FormatName(found_.format)) + " but '" + file.name + "' is " +
                         std::string(FormatName(file.facts.format)) + "; ask for one format");
    }
    return CheckOptions(spec_.options, found_.format);
  }

  struct Entry {
    std::string name;
    bool directory = false;
    bool link = false;
  };
  // The entries of a directory; none when it is no directory or leads nowhere.
  Result<std::vector<Entry>> List(const Base& base, const std::string& below) {
    const auto place = roots_.Walk(base.root, below);
    if (!place.ok() && place.error().kind == Kind::kForbidden) {
      return OutsideRoots(base.prefix + below);
    }
    std::vector<Entry> entries;
    if (!place.ok() || !place->IsDirectory()) return entries;
    auto opened = OpenPlace(*place, O_DIRECTORY);
    if (!opened.ok()) return CannotOpen(base.prefix + below, opened.error().message);
    const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(opened->get()));
    if (directory == nullptr) return CannotOpen(base.prefix + below, std::strerror(errno));
    opened->Release();
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++entries_ > kEntriesMax) return TooMany("directory entries to look at", kEntriesMax);
      SHEAF_ASSIGN(Entry known, Describe(*place, entry));
      entries.push_back(std::move(known));
    }
    return entries;
  }

  static Result<Entry> Describe(const Place& place, const dirent* entry) {
    Entry known{entry->d_name, entry->d_type == DT_DIR, entry->d_type == DT_LNK};
    if (entry->d_type == DT_UNKNOWN) {
      struct stat facts {};
      const std::string path = place.Path() + "/" + known.name;
      if (::lstat(path.c_str(), &facts) == 0) {
        known.directory = S_ISDIR(facts.st_mode);
        known.link = S_ISLNK(facts.st_mode);
      }
    }
    return known;
  }

  static std::string Under(const std::string& below, const std::string& name) {
    return below.empty() ? name : below + "/" + name;
  }

  // Every file below a directory, hidden ones ('.', '_') left out; linked directories too.
  Status Below(const Base& base, const std::string& below, size_t depth,
               std::vector<std::string>& names) {
    if (depth > kDepthMax) return TooMany("levels of directories", kDepthMax);
    SHEAF_ASSIGN(const auto entries, List(base, below));
    for (const Entry& entry : entries) {
      if (entry.name.starts_with('.') || entry.name.starts_with('_')) continue;
      const std::string name = Under(below, entry.name);
      if (entry.directory) {
        SHEAF_TRY(Below(base, name, depth + 1, names));
      } else {
        names.push_back(name);
      }
    }
    return Done();
  }

  // The names that parts[at...] of a pattern mean below the directory `below`.
  Status Expand(const Base& base, const std::string& below, const std::vector<std::string>& parts,
                size_t at, size_t depth, std::vector<std::string>& names) {
    if (depth > kDepthMax) return TooMany("levels of directories", kDepthMax);
    if (names.size() > kEntriesMax) return TooMany("names that match", kEntriesMax);
    const std::string& part = parts[at];
    const bool last = at + 1 == parts.size();
    if (!HasMagic(part)) {
      const std::string name = Under(below, part);
      if (!last) return Expand(base, name, parts, at + 1, depth + 1, names);
      names.push_back(name);
      return Done();
    }
    const bool deep = part == "**";
    if (deep && !last) SHEAF_TRY(Expand(base, below, parts, at + 1, depth + 1, names));
    SHEAF_ASSIGN(const auto entries, List(base, below));
    for (const Entry& entry : entries) {
      if (entry.name.starts_with('.') && !part.starts_with('.')) continue;
      if (!deep && !MatchPart(part, entry.name)) continue;
      const std::string name = Under(below, entry.name);
      if (deep && entry.directory) {
        SHEAF_TRY(Expand(base, name, parts, at, depth + 1, names));
      } else if (last && !entry.directory) {
        names.push_back(name);
      } else if (!last && !deep && (entry.directory || entry.link)) {
        SHEAF_TRY(Expand(base, name, parts, at + 1, depth + 1, names));
      }
    }
    return Done();
  }

  const Spec& spec_;
  const Roots& roots_;
  Found found_;
  size_t entries_ = 0;
  bool matched_ = false;  // Since it was last asked.
};

}  // namespace

std::string FoundFile::TokenOf(const struct stat& facts) {
  const int64_t mtime_ns = int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec;
  return std::to_string(facts.st_size) + ":" + std::to_string(mtime_ns) + ":" +
         std::to_string(facts.st_ino);
}

Result<Found> FindFiles(const Spec& spec, const Roots& roots) {
  if (roots.empty()) return NoRoots();
  return Finder(spec, roots).Run();
}

}  // namespace sheaf::files
