// Small files that are their owner's alone: secrets, who runs.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"

namespace sheaf::app {

// `path` holds `contents` with mode 0600 when this returns, also after a power cut; before, what it
// held before. Nobody else could read it at any time. Errors: kDependency, names the path.
Status WritePrivate(const std::string& path, std::string_view contents);

// The whole file; kNotFound, kForbidden when others may read it (`what` names it), kDependency.
Result<std::string> ReadPrivate(const std::string& path, std::string_view what);

// Whether anything is there under this name.
bool IsThere(const std::string& path);

}  // namespace sheaf::app
