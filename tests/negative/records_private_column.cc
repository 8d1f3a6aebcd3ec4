// must not compile: a private column is not an application's
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::records {
void Set(Record<kSmreg>& record) { record.Set<"numeric_id">("1"); }
}  // namespace sheaf::records
