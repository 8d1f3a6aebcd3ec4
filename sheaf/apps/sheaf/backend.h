// Where `persistence.backend` becomes a back end.
#pragma once

#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/host/chronicle/chronicle.h"
#include "sheaf/ports/persistence/persistence.h"
#include "sheaf/wire/settings/settings.h"

namespace sheaf::app {

struct Backend {
  persistence::Persistence parts;
  std::string shown;  // For people, without passwords.
  bool keeps = true;  // Not `none`.
};

// `text` is persistence.backend as the settings checked it; relative files lie in `state_dir`.
// Whatever cannot be opened is an error: nothing ever becomes `none` by itself. kUnsupported for
// back ends that this version does not have. `background` outlives what is opened.
Result<Backend> OpenBackend(const std::string& text, const std::string& state_dir,
                            Executor& background);

// What a chronicle over it is told of this node.
chronicle::ChronicleOptions ChronicleOptionsOf(const Settings& settings, const Backend& backend);
// A number of [0, 1).
double RandomPart();

}  // namespace sheaf::app
