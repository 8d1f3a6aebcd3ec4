// In which order modules start: a pure function of their names and needs.
#pragma once

#include <string>
#include <vector>

#include "sheaf/base/core/result.h"

namespace sheaf::modules {

struct Needs {
  std::string name;
  std::vector<std::string> needs;
};

// Positions in `modules`, each after all that it needs, otherwise as they were added. kInvalid
// names a module that is needed and absent (with the nearest one that is there), or the circle.
Result<std::vector<size_t>> StartOrder(const std::vector<Needs>& modules);

}  // namespace sheaf::modules
