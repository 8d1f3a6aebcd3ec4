#include "sheaf/ports/secrets/secrets.h"

#include <algorithm>

namespace sheaf::secrets {

Status CheckName(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (!name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
      std::all_of(name.begin(), name.end(), good)) {
    return Done();
  }
  return Fail(Kind::kInvalid,
              "a secret's name has 1 to 128 letters, digits, '_', '-' and '.', "
              "and does not begin with '.'");
}

}  // namespace sheaf::secrets
