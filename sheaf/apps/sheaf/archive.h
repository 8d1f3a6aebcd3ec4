// Rows that are about to go, as Parquet files that can be queried.
#pragma once

#include <string>

#include "sheaf/base/time/time.h"
#include "sheaf/drivers/files/file_system.h"
#include "sheaf/ports/persistence/administration.h"

namespace sheaf::app {

// Writes DIRECTORY/<table>/<time>-<random>.parquet (zstd), public columns; each is there whole and
// to last before the call returns. `files` and `clock` outlive it.
persistence::Archive ParquetArchive(files::FileSystem& files, const Clock& clock,
                                    std::string directory);

}  // namespace sheaf::app
