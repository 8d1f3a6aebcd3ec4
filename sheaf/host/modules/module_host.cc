#include "sheaf/host/modules/module_host.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace sheaf::modules {
namespace {

namespace fs = std::filesystem;

fs::path Below(const std::string& state_dir) { return fs::path(state_dir) / "modules"; }

Error DiskError(const fs::path& path, const std::error_code& error) {
  return Fail(Kind::kDependency, path.string() + ": " + error.message());
}

}  // namespace

ModuleHost::ModuleHost(const HostParts& parts, std::string name)
    : parts_(parts),
      name_(std::move(name)),
      account_(parts.account == nullptr ? nullptr : parts.account->Open("module." + name_)) {}

std::optional<Json> ModuleHost::Setting(std::string_view key) const {
  if (parts_.setting == nullptr) return std::nullopt;
  return parts_.setting(name_ + "." + std::string(key));
}

Result<std::string> ModuleHost::OwnPath() {
  if (parts_.state_dir.empty()) {
    return Fail(Kind::kForbidden, "this node has no state directory: modules keep off the disk");
  }
  const fs::path path = Below(parts_.state_dir) / name_;
  MutexLock lock(mutex_);
  if (!made_) {
    std::error_code error;
    fs::create_directories(path, error);
    if (!error) fs::permissions(path, fs::perms::owner_all, error);
    if (error) return DiskError(path, error);
    made_ = true;
  }
  return path.string();
}

Status EmptyOwnPaths(const std::string& state_dir) {
  if (state_dir.empty()) return Done();
  std::error_code error;
  fs::remove_all(Below(state_dir), error);
  if (error) return DiskError(Below(state_dir), error);
  return Done();
}

}  // namespace sheaf::modules
