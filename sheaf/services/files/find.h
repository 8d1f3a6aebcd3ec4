// From the URIs of a spec to the files they mean: schemes, globs, directories.
#pragma once

#include <string>
#include <vector>

#include "sheaf/services/files/roots.h"
#include "sheaf/services/files/spec.h"

namespace sheaf::files {

inline constexpr size_t kFilesMax = 10'000;       // Of one spec.
inline constexpr size_t kEntriesMax = 1'000'000;  // Directory entries looked at for one spec.
inline constexpr size_t kDepthMax = 64;           // Of directories below a glob or directory.

// A file that was found. A value.
struct FoundFile {
  std::string name;  // As the caller would write it; for errors.
  Place place;
  NameFacts facts;  // What its name says; the spec's format overrides.
  int64_t size = 0;

  std::string path() const { return place.Path(); }
  // "size:mtime_ns:inode".
  std::string Token() const { return TokenOf(place.facts); }
  static std::string TokenOf(const struct stat& facts);
};

struct Found {
  Format format = Format::kParquet;  // Of all of them.
  std::vector<FoundFile> files;      // In the order given; globs and directories sorted by name.
};

// Threads: any. Blocking: stats files and lists directories, opens none.
// Errors: kForbidden, kNotFound, kInvalid, kUnsupported (a scheme), kExhausted, kFailed.
Result<Found> FindFiles(const Spec& spec, const Roots& roots);

// A URI as a path: "file:" taken off and decoded. Public for its tests.
Result<std::string> PathOfUri(const std::string& uri);

}  // namespace sheaf::files
