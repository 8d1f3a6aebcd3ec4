// A batch of every Arrow type that IPC carries.
#pragma once

#include <arrow/type_fwd.h>

#include <string>
#include <vector>

#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights::contract {

struct TypedBatch {
  std::string name;  // Of the type.
  Batch batch;       // One column "v", a few rows, nulls among them.
};
std::vector<TypedBatch> EveryType();

}  // namespace sheaf::flights::contract
