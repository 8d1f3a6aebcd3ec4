// The modules of this binary.
#pragma once

#include <memory>
#include <vector>

#include "sheaf/ports/module/module.h"
#include "sheaf/wire/settings/settings.h"

namespace sheaf::app {

// kInvalid naming the first of modules.enabled that this binary has not; opens nothing.
Status CheckModules(const Settings& settings);
// Those of modules.enabled, in that order, not started.
Result<std::vector<std::unique_ptr<module::Module>>> MakeModules(const Settings& settings);

}  // namespace sheaf::app
