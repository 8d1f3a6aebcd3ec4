#include "sheaf/ports/module/module.h"

namespace sheaf::module {

Result<Json> Service::Put(const Json&, arrow::RecordBatchReader&, const RunContext&) {
  return Fail(Kind::kUnsupported,
              "service '" + std::string(name()) + "' cannot be written to; put to a path instead");
}

}  // namespace sheaf::module
