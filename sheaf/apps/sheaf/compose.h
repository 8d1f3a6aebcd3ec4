// The command that the flags of `query` and `explain` describe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/apps/sheaf/inputs.h"
#include "sheaf/base/core/core.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::app {

struct ComposeOptions {
  std::string text;                 // SQL, or a command when it begins with '{'.
  std::vector<std::string> inputs;  // As ParseInput reads them.
  std::vector<std::string> params;  // "3", "name=3"; JSON values, else text.
  std::string sink, reuse, tier, ttl;
  std::optional<uint64_t> if_generation;
  std::optional<int> priority;
  std::string deadline, retain, memory;
  bool no_share = false;
};

struct Composed {
  Json command;
  std::vector<std::string> files;  // Of inputs given by flags.
};

// kInvalid says which flag. Inputs, sink and options given by flags win over those of a command's
// text; --param and SQL go together.
Result<Composed> Compose(const ComposeOptions& options, ReadFile read_file);

}  // namespace sheaf::app
