// Completion scripts from the facts of a command line.
#pragma once

#include <string>

#include "sheaf/apps/sheaf/cli.h"

namespace sheaf::app {

// `shell` is bash, zsh or fish. Subcommands, their flags, and files for everything else.
std::string CompletionScript(const std::string& shell, const CommandFacts& program);

}  // namespace sheaf::app
