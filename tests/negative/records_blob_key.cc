// must not compile: a blob is neither key nor index
#include "sheaf/wire/records/property.h"

namespace sheaf::records {
constexpr TableSpec<1> kSpec{.name = "t", .properties = {{Column("a", ColumnType::kBlob).Key()}}};
constexpr Table kTable = Describe<kSpec>();
}  // namespace sheaf::records
