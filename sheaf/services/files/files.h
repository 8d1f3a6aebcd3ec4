// The door of services/files: reads data files below configured roots as flights.
//
// Spec: {"uri" or "uris", "format", "columns", "filter", "options"}; see README.md.
#pragma once

#include <memory>

#include "sheaf/ports/module/module.h"

namespace sheaf::files {

// The module `files` with its one service `files`. Setting: "roots", a list of directories (or
// one string with commas); without it every request is refused.
std::unique_ptr<module::Module> MakeFilesModule();

}  // namespace sheaf::files
