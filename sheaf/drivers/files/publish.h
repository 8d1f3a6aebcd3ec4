// Small whole files: read at once, replaced at once, never seen in part.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/drivers/files/file_system.h"

namespace sheaf::files {

// `path` holds `contents` when this returns, also after a power cut; before, and after an error,
// what it held before. Effect::kUnknown when the last step failed: either may be found.
Status Publish(FileSystem& files, const std::string& path, std::string_view contents);

// The whole file; kExhausted above `bytes_max`.
Result<std::string> ReadWhole(FileSystem& files, const std::string& path, uint64_t bytes_max);

}  // namespace sheaf::files
