// Every failure of adapters/secrets. None of them holds a value.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/ports/secrets/secrets.h"

namespace sheaf::secrets {

inline Error NoSecret(std::string_view name, const std::string& where) {
  return Fail(Kind::kNotFound, "no secret '" + std::string(name) + "' in " + where);
}
inline Error TooLarge(std::string_view name) {
  return Fail(Kind::kInvalid, "secret '" + std::string(name) + "' is above the limit of " +
                                  std::to_string(kValueBytesMax) + " bytes");
}
inline Error NotPrivate(std::string_view name, const std::string& path) {
  return Fail(Kind::kInvalid, "secret '" + std::string(name) + "': " + path +
                                  " is open to its group or to others; make it private (mode 600)");
}
inline Error Unreadable(std::string_view name, const std::string& path, const std::string& why) {
  return Fail(Kind::kDependency,
              "secret '" + std::string(name) + "': " + path + " cannot be read: " + why);
}

}  // namespace sheaf::secrets
