#include "sheaf/apps/sheaf/state_directory.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;

}  // namespace

TemporaryState::~TemporaryState() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<std::string> TemporaryState::Make() {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "sheaf-XXXXXX").string();
  if (error || ::mkdtemp(pattern.data()) == nullptr) {
    return Fail(Kind::kDependency, "cannot make a temporary directory like " + pattern);
  }
  path_ = pattern;
  return path_;
}

Status MakePrivate(files::FileSystem& files, const std::string& directory) {
  std::error_code error;
  const bool made = !fs::exists(directory, error);
  SHEAF_TRY(files.CreateDirectories(directory));
  if (made) fs::permissions(directory, fs::perms::owner_all, error);
  if (error) return Fail(Kind::kDependency, directory + ": " + error.message());
  return Done();
}

}  // namespace sheaf::app
