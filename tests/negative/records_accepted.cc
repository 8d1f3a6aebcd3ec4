// must compile
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::records {
std::string User(const Record<kJobs>& job) { return job.Get<"user">(); }
}  // namespace sheaf::records
