#include <utility>

#include "sheaf/adapters/secrets/errors.h"
#include "sheaf/adapters/secrets/secrets.h"

namespace sheaf::secrets {
namespace {

class EnvironmentSecrets final : public Secrets {
 public:
  explicit EnvironmentSecrets(ReadVariable read) : read_(std::move(read)) {}

  Result<std::string> Get(std::string_view name) override {
    SHEAF_TRY(CheckName(name));
    std::string variable = "SHEAF_SECRET_";
    for (const char c : name) {
      if (c >= 'a' && c <= 'z')
        variable += static_cast<char>(c - 'a' + 'A');
      else
        variable += c == '-' || c == '.' ? '_' : c;
    }
    const char* value = read_(variable.c_str());
    if (value == nullptr) return NoSecret(name, "environment variable " + variable);
    std::string copy(value);
    if (copy.size() > kValueBytesMax) return TooLarge(name);
    return copy;
  }

 private:
  const ReadVariable read_;
};

}  // namespace

std::unique_ptr<Secrets> MakeEnvironmentSecrets(ReadVariable read) {
  return std::make_unique<EnvironmentSecrets>(std::move(read));
}

}  // namespace sheaf::secrets
