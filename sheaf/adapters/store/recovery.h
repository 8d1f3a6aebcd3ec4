// Start: the index and the directory of flight files are made to agree.
#pragma once

#include <vector>

#include "sheaf/adapters/store/disk_index.h"

namespace sheaf::store {

// What the index names and the directory holds. Rows whose file is missing are taken out of the
// index, files that no row names are removed; both are logged. Opens no flight file.
Result<std::vector<Entry>> Recover(Context& context, DiskIndex& index);

}  // namespace sheaf::store
