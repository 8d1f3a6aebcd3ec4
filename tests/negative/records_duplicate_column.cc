// must not compile: a column stands once
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<2> kSpec{.name = "t",
                             .properties = {{Column("a", "x", ColumnType::kString).Key(),
                                             Column("b", "X", ColumnType::kString)}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
