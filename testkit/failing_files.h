// A file system that fails when it is told to: a full disk, a broken one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sheaf/drivers/files/file_system.h"

namespace testkit {

// Asked before each operation by its name ("Create", "Append", "Sync", "Map", "OpenToRead",
// "Rename", "Remove", "SyncDirectory", "List", "Size", "CreateDirectories", "Lock") and path, from
// any thread; an error is the operation's answer.
using Failing = std::function<std::optional<sheaf::Error>(std::string_view operation,
                                                          const std::string& path)>;

// The machine's files, as far as `failing` permits.
std::unique_ptr<sheaf::files::FileSystem> MakeFailingFiles(Failing failing);

}  // namespace testkit
