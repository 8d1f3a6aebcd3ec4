// must not compile: a table has a primary key
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<1> kSpec{.name = "t", .properties = {{Column("a", ColumnType::kString)}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
