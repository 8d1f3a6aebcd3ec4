// must not compile: a meta element is neither key nor index
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<2> kSpec{.name = "t",
                             .properties = {{Column("k", ColumnType::kString).Key(),
                                             Column("t", ColumnType::kString).Indexed().Meta()}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
