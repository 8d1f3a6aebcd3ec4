// Everything in memory, behind a journal in a directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "sheaf/drivers/files/file_system.h"
#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

struct FileOptions {
  std::string directory;               // Created when missing; locked while it is open.
  files::FileSystem* files = nullptr;  // Null: the machine's. Outlives what is opened.
  // At the opening a journal of more segments, or of more bytes, is begun anew from one base.
  size_t segments_max = 8;
  uint64_t bytes_max = uint64_t{64} << 20;
};

// Errors: kConflict names who holds the directory; kUnsupported, kDependency, kExhausted,
// kForbidden. What is damaged is no error here: a warm restore says it, or refuses when nothing can
// be read. Deviations: no queries of summaries, no resources, one process.
Result<Persistence> OpenFile(FileOptions options);

}  // namespace sheaf::persistence
