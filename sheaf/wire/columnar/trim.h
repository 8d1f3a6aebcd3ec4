// Some slices IPC writes with more than their rows: views carry whole buffers, list views and dense
// unions whole children, arrays without rows all their offsets.
#pragma once

#include "sheaf/wire/columnar/batch.h"

namespace sheaf::columnar {

// The same rows without that, however deep it lies. Copies what it must of the columns in question;
// others stay as they are. The batch must be valid.
Result<Batch> Trim(const Batch& batch);

}  // namespace sheaf::columnar
