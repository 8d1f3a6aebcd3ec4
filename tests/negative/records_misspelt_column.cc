// must not compile: the table has no column of this name|no matching member function
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::records {
void Set(Record<kJobs>& record) { record.Set<"usr">("x"); }
}  // namespace sheaf::records
