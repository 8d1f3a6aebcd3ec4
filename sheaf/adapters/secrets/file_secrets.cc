#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "sheaf/adapters/secrets/errors.h"
#include "sheaf/adapters/secrets/secrets.h"

namespace sheaf::secrets {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string Reason() { return std::generic_category().message(errno); }

class FileSecrets final : public Secrets {
 public:
  explicit FileSecrets(std::string directory) : directory_(std::move(directory)) {}

  Result<std::string> Get(std::string_view name) override {
    SHEAF_TRY(CheckName(name));
    const std::string path = directory_ + "/" + std::string(name);
    // Symbolic links are followed, as mounted secrets need; a pipe must not make us wait.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
      if (errno == ENOENT || errno == ENOTDIR) return NoSecret(name, "directory " + directory_);
      return Unreadable(name, path, Reason());
    }
    struct stat what {};
    if (::fstat(file.get(), &what) != 0) return Unreadable(name, path, Reason());
    if (!S_ISREG(what.st_mode)) return Unreadable(name, path, "it is no regular file");
    if ((what.st_mode & (S_IRWXG | S_IRWXO)) != 0) return NotPrivate(name, path);
    SHEAF_ASSIGN(std::string value, Read(file.get(), name, path));
    if (value.ends_with('\n')) value.pop_back();
    if (value.size() > kValueBytesMax) return TooLarge(name);
    return value;
  }

 private:
  // At most two bytes more than a value may have.
  static Result<std::string> Read(int fd, std::string_view name, const std::string& path) {
    std::string value(kValueBytesMax + 2, '\0');
    size_t size = 0;
    while (size < value.size()) {
      const ssize_t got = ::read(fd, value.data() + size, value.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Unreadable(name, path, Reason());
      if (got == 0) break;
      size += static_cast<size_t>(got);
    }
    value.resize(size);
    return value;
  }

  const std::string directory_;
};

class SecretsChain final : public Secrets {
 public:
  explicit SecretsChain(std::vector<std::unique_ptr<Secrets>> sources)
      : sources_(std::move(sources)) {}

  Result<std::string> Get(std::string_view name) override {
    SHEAF_TRY(CheckName(name));
    std::string places;
    for (const auto& source : sources_) {
      auto value = source->Get(name);
      if (value.ok() || value.error().kind != Kind::kNotFound) return value;
      places += (places.empty() ? "" : "; ") + value.error().message;
    }
    if (places.empty()) return NoSecret(name, "no source at all");
    return Fail(Kind::kNotFound, std::move(places));
  }

 private:
  const std::vector<std::unique_ptr<Secrets>> sources_;
};

}  // namespace

std::unique_ptr<Secrets> MakeFileSecrets(std::string directory) {
  return std::make_unique<FileSecrets>(std::move(directory));
}

std::unique_ptr<Secrets> MakeSecretsChain(std::vector<std::unique_ptr<Secrets>> sources) {
  return std::make_unique<SecretsChain>(std::move(sources));
}

}  // namespace sheaf::secrets
