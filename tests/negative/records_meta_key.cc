// must not compile: a meta element is neither key nor index
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<1> kSpec{.name = "t",
                             .properties = {{Column("t", ColumnType::kString).Key().Meta()}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
