#include "testkit/power_cut.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "sheaf/base/core/check.h"

namespace testkit {
namespace {

namespace fs = std::filesystem;
using sheaf::Done;
using sheaf::Fail;
using sheaf::Kind;
using sheaf::Result;
using sheaf::Status;
using sheaf::files::DirectoryOf;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

sheaf::Error Off() { return Fail(Kind::kDependency, "the power is off"); }

}  // namespace

PowerCutDisk::PowerCutDisk(std::string root) : root_(std::move(root)) {
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    const std::string path = entry.path().string();
    if (entry.is_directory()) {
      directories_.push_back(path);
    } else {
      auto inode = std::make_shared<Inode>();
      inode->durable = ReadFile(entry.path());
      durable_[path] = present_[path] = std::move(inode);
    }
  }
}

bool PowerCutDisk::Point() {
  if (off()) return false;
  ++points_;
  return !off();
}

void PowerCutDisk::Apply(const Change& change, size_t bytes, std::string& content) {
  if (change.truncates) {
    content.resize(change.offset);
    return;
  }
  if (content.size() < change.offset + bytes) content.resize(change.offset + bytes);
  content.replace(change.offset, bytes, change.bytes, 0, bytes);
}

bool PowerCutDisk::Create(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!Point()) return false;
  present_[path] = std::make_shared<Inode>();
  pending_[DirectoryOf(path)].push_back({path, present_[path]});
  return true;
}

bool PowerCutDisk::Write(const std::string& path, uint64_t offset, std::string_view bytes) {
  std::lock_guard lock(mutex_);
  if (off()) return false;
  const bool done = Point();
  bytes_written_ += bytes.size();
  // The write at which the power fails may be on its way: it survives like any that is unsynced.
  const auto found = present_.find(path);
  SHEAF_CHECK(found != present_.end());
  found->second->pending.push_back({offset, std::string(bytes), false});
  return done;
}

bool PowerCutDisk::Truncate(const std::string& path, uint64_t size) {
  std::lock_guard lock(mutex_);
  if (!Point()) return false;
  present_.at(path)->pending.push_back({size, "", true});
  return true;
}

bool PowerCutDisk::Sync(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!Point()) return false;
  ++syncs_;
  Inode& inode = *present_.at(path);
  for (const Change& change : inode.pending) Apply(change, change.bytes.size(), inode.durable);
  inode.pending.clear();
  return true;
}

bool PowerCutDisk::SyncDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!Point()) return false;
  for (Entry& entry : pending_[path]) {
    if (entry.inode == nullptr) durable_.erase(entry.path);
    if (entry.inode != nullptr) durable_[entry.path] = entry.inode;
  }
  pending_.erase(path);
  return true;
}

void PowerCutDisk::SyncEntry(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto& entries = pending_[DirectoryOf(path)];
  const auto mine = [&](const Entry& entry) { return entry.path == path; };
  for (const Entry& entry : entries) {
    if (mine(entry) && entry.inode == nullptr) durable_.erase(path);
    if (mine(entry) && entry.inode != nullptr) durable_[path] = entry.inode;
  }
  std::erase_if(entries, mine);
}

bool PowerCutDisk::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (!Point()) return false;
  auto& entries = pending_[DirectoryOf(to)];
  SHEAF_CHECK(DirectoryOf(from) == DirectoryOf(to));
  present_[to] = std::exchange(present_[from], nullptr);
  present_.erase(from);
  entries.push_back({to, present_[to]});
  entries.push_back({from, nullptr});
  return true;
}

bool PowerCutDisk::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!Point()) return false;
  present_.erase(path);
  pending_[DirectoryOf(path)].push_back({path, nullptr});
  return true;
}

std::string PowerCutDisk::Content(const Inode& inode, Survival survival, std::mt19937_64& random) {
  std::string content = inode.durable;
  if (survival == Survival::kSynced) return content;
  for (const Change& change : inode.pending) {
    size_t bytes = change.bytes.size();
    if (survival == Survival::kRandom) {
      const auto fate = random() % 4;
      if (fate == 0) continue;
      if (fate == 1 && !change.truncates) bytes = random() % (bytes + 1);
    }
    Apply(change, bytes, content);
  }
  return content;
}

void PowerCutDisk::Survive(const std::string& directory, Survival survival, uint64_t seed) const {
  std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  Inodes found = durable_;
  for (const auto& [parent, entries] : pending_) {
    size_t count = survival == Survival::kSynced ? 0 : entries.size();
    if (survival == Survival::kRandom) count = random() % (entries.size() + 1);
    for (size_t i = 0; i < count; ++i) {
      if (entries[i].inode == nullptr) found.erase(entries[i].path);
      if (entries[i].inode != nullptr) found[entries[i].path] = entries[i].inode;
    }
  }
  const auto moved = [&](const std::string& path) { return directory + path.substr(root_.size()); };
  fs::create_directories(directory);
  for (const std::string& path : directories_) fs::create_directories(moved(path));
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.is_directory()) fs::create_directories(moved(entry.path().string()));
  }
  for (const auto& [path, inode] : found) {
    std::ofstream out(moved(path), std::ios::binary);
    const std::string content = Content(*inode, survival, random);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    SHEAF_CHECK(out.good());
  }
}

namespace {

class PowerCutFile final : public sheaf::files::File {
 public:
  PowerCutFile(PowerCutDisk& disk, std::string path, std::unique_ptr<sheaf::files::File> inner)
      : disk_(disk), path_(std::move(path)), inner_(std::move(inner)) {}

  Status Append(std::span<const sheaf::files::Piece> pieces) override {
    std::string bytes;
    for (const auto& piece : pieces) {
      bytes.append(static_cast<const char*>(piece.data), piece.size);
    }
    SHEAF_ASSIGN(const uint64_t offset, inner_->Size());
    if (!disk_.Write(path_, offset, bytes)) return Off();
    return inner_->Append(pieces);
  }
  Status Sync() override { return disk_.Sync(path_) ? Done() : Status(Off()); }
  void StartWriteback() override {}
  Result<std::shared_ptr<const sheaf::files::Mapping>> Map(uint64_t length) override {
    return inner_->Map(length);
  }
  Result<uint64_t> Size() override { return inner_->Size(); }

 private:
  PowerCutDisk& disk_;  // Borrowed from the test.
  const std::string path_;
  const std::unique_ptr<sheaf::files::File> inner_;
};

}  // namespace

PowerCutFiles::PowerCutFiles(PowerCutDisk& disk)
    : disk_(disk), inner_(sheaf::files::OpenLocalFiles()) {}

Status PowerCutFiles::CreateDirectories(const std::string& path) {
  // Lasting, so it is one point and then durable.
  if (fs::is_directory(path)) return Done();
  if (!disk_.SyncDirectory(DirectoryOf(path))) return Off();
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return Fail(Kind::kDependency, path + ": " + code.message());
  return Done();
}

Result<std::unique_ptr<sheaf::files::File>> PowerCutFiles::Create(const std::string& path) {
  if (fs::exists(path)) return Fail(Kind::kConflict, path + " exists");
  if (!disk_.Create(path)) return Off();
  SHEAF_ASSIGN(auto inner, inner_->Create(path));
  return std::unique_ptr<sheaf::files::File>(
      std::make_unique<PowerCutFile>(disk_, path, std::move(inner)));
}

Result<std::unique_ptr<sheaf::files::File>> PowerCutFiles::OpenToRead(const std::string& path) {
  return inner_->OpenToRead(path);
}

Status PowerCutFiles::Rename(const std::string& from, const std::string& to) {
  if (!fs::exists(from)) return Fail(Kind::kNotFound, from);
  if (!disk_.Rename(from, to)) return Off();
  return inner_->Rename(from, to);
}

Status PowerCutFiles::Remove(const std::string& path) {
  if (!fs::exists(path)) return Fail(Kind::kNotFound, path);
  if (!disk_.Remove(path)) return Off();
  return inner_->Remove(path);
}

Status PowerCutFiles::SyncDirectory(const std::string& path) {
  return disk_.SyncDirectory(path) ? Done() : Status(Off());
}

Result<std::vector<std::string>> PowerCutFiles::List(const std::string& path) {
  return inner_->List(path);
}

Result<uint64_t> PowerCutFiles::Size(const std::string& path) { return inner_->Size(path); }

Result<std::unique_ptr<sheaf::files::DirectoryLock>> PowerCutFiles::Lock(
    const std::string& directory) {
  return inner_->Lock(directory);  // Says nothing that a restart would want.
}

}  // namespace testkit
