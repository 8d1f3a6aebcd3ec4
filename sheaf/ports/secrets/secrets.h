// Secrets by name. Values never appear in logs, errors, settings or answers.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"

namespace sheaf::secrets {

inline constexpr size_t kNameBytesMax = 128;
inline constexpr size_t kValueBytesMax = 64 << 10;

// kInvalid for a name with anything but letters, digits, '_', '-', '.', that begins with '.', is
// empty or longer than kNameBytesMax.
Status CheckName(std::string_view name);

// Owner: main. Threads: any. Blocking: may read a file or ask a network.
// Errors: kNotFound naming the secret and where it was looked for; kDependency; kInvalid (a name
//   that CheckName refuses, a value above 64 KiB, one that others may read).
class Secrets {
 public:
  virtual ~Secrets() = default;
  virtual Result<std::string> Get(std::string_view name) = 0;
};

}  // namespace sheaf::secrets
