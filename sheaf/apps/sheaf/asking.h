// Flags of commands that carry a command: query and explain.
#pragma once

#include <string>

#include "sheaf/apps/sheaf/cli.h"
#include "sheaf/apps/sheaf/compose.h"
#include "sheaf/apps/sheaf/session.h"

namespace sheaf::app {

struct AskFlags {
  ConnectFlags connect;
  ComposeOptions compose;
  std::string file;  // --file
  int64_t priority = -1, if_generation = -1;
};
void AddAsking(Command& command, AskFlags& flags);

// What is asked, ready to be sent.
struct Asked {
  Json json;
  std::shared_ptr<const sheaf::Command> command;  // Shared as Flights wants it.
  std::vector<std::string> roots;                 // For an embedded node.
};
// kInvalid says which flag; all of it is the caller's mistake.
Result<Asked> ReadAsked(AskFlags& flags);

// Directories that an embedded node must be allowed for these files: the current one, and the
// directory of each that lies elsewhere.
std::vector<std::string> RootsOf(const std::vector<std::string>& files);

}  // namespace sheaf::app
