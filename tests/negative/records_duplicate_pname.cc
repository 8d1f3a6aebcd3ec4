// must not compile: a pname stands once
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<2> kSpec{.name = "t",
                             .properties = {{Column("a", ColumnType::kString).Key(),
                                             Column("a", "b", ColumnType::kString)}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
