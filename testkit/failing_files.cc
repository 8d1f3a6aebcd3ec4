#include "testkit/failing_files.h"

#include <utility>

namespace testkit {
namespace {

using sheaf::Result;
using sheaf::Status;
using sheaf::files::DirectoryLock;
using sheaf::files::File;
using sheaf::files::FileSystem;
using sheaf::files::Mapping;
using sheaf::files::Piece;

class FailingFile final : public File {
 public:
  FailingFile(std::unique_ptr<File> inner, Failing failing, std::string path)
      : inner_(std::move(inner)), failing_(std::move(failing)), path_(std::move(path)) {}

  Status Append(std::span<const Piece> pieces) override {
    if (auto error = failing_("Append", path_)) return *error;
    return inner_->Append(pieces);
  }
  Status Sync() override {
    if (auto error = failing_("Sync", path_)) return *error;
    return inner_->Sync();
  }
  void StartWriteback() override { inner_->StartWriteback(); }
  Result<std::shared_ptr<const Mapping>> Map(uint64_t length) override {
    if (auto error = failing_("Map", path_)) return *error;
    return inner_->Map(length);
  }
  Result<uint64_t> Size() override { return inner_->Size(); }

 private:
  const std::unique_ptr<File> inner_;
  const Failing failing_;
  const std::string path_;
};

class FailingFiles final : public FileSystem {
 public:
  explicit FailingFiles(Failing failing)
      : failing_(std::move(failing)), inner_(sheaf::files::OpenLocalFiles()) {}

  Status CreateDirectories(const std::string& path) override {
    if (auto error = failing_("CreateDirectories", path)) return *error;
    return inner_->CreateDirectories(path);
  }
  Result<std::unique_ptr<File>> Create(const std::string& path) override {
    if (auto error = failing_("Create", path)) return *error;
    SHEAF_ASSIGN(auto file, inner_->Create(path));
    return Wrapped(std::move(file), path);
  }
  Result<std::unique_ptr<File>> OpenToRead(const std::string& path) override {
    if (auto error = failing_("OpenToRead", path)) return *error;
    SHEAF_ASSIGN(auto file, inner_->OpenToRead(path));
    return Wrapped(std::move(file), path);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    if (auto error = failing_("Rename", from)) return *error;
    return inner_->Rename(from, to);
  }
  Status Remove(const std::string& path) override {
    if (auto error = failing_("Remove", path)) return *error;
    return inner_->Remove(path);
  }
  Status SyncDirectory(const std::string& path) override {
    if (auto error = failing_("SyncDirectory", path)) return *error;
    return inner_->SyncDirectory(path);
  }
  Result<std::vector<std::string>> List(const std::string& path) override {
    if (auto error = failing_("List", path)) return *error;
    return inner_->List(path);
  }
  Result<uint64_t> Size(const std::string& path) override {
    if (auto error = failing_("Size", path)) return *error;
    return inner_->Size(path);
  }
  Result<std::unique_ptr<DirectoryLock>> Lock(const std::string& directory) override {
    if (auto error = failing_("Lock", directory)) return *error;
    return inner_->Lock(directory);
  }

 private:
  std::unique_ptr<File> Wrapped(std::unique_ptr<File> file, const std::string& path) {
    return std::make_unique<FailingFile>(std::move(file), failing_, path);
  }

  const Failing failing_;
  const std::unique_ptr<FileSystem> inner_;
};

}  // namespace

std::unique_ptr<FileSystem> MakeFailingFiles(Failing failing) {
  return std::make_unique<FailingFiles>(std::move(failing));
}

}  // namespace testkit
