// Settings from their four sources: defaults, file, environment, flags.
#pragma once

#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/settings/settings.h"

namespace sheaf::app {

struct ConfigFlags {
  std::string file;               // --config
  std::string state;              // --state, which is --set state.dir=…
  std::vector<std::string> sets;  // --set key=value
};

// kInvalid when the file cannot be read; what is wrong inside is for Config::Check to tell.
Result<settings::Config> ReadConfig(const ConfigFlags& flags);

// A whole file, up to 16 MiB; "-" is standard input. kInvalid names it.
Result<std::string> ReadText(const std::string& path);

}  // namespace sheaf::app
