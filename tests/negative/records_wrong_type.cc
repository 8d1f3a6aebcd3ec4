// must not compile: no viable conversion|no known conversion|no matching
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::records {
void Set(Record<kJobs>& record) { record.Set<"memory">("many"); }
}  // namespace sheaf::records
