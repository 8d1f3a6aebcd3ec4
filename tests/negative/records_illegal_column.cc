// must not compile: legal identifiers
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<1> kSpec{.name = "t",
                             .properties = {{Column("a", "a-b", ColumnType::kString).Key()}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
