// must not compile: a blob is neither key nor index
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<2> kSpec{.name = "t",
                             .properties = {{Column("k", ColumnType::kString).Key(),
                                             Column("a", ColumnType::kBlob).Indexed()}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
