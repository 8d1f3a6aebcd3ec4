// A flight's record, as info, pin, renew and refresh show it.
#pragma once

#include <cstdint>
#include <string>

#include "sheaf/apps/sheaf/cli.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::app {

// "path  raw/orders", "rows  15,000", … one a line; the command last, indented.
std::string FlightWords(const Json& flight);

// Flags of every command on one path.
struct PathFlags {
  ConnectFlags connect;
  std::string path, ttl;
  int64_t generation = -1;
  bool json = false;
};
void AddPathFlags(Command& command, PathFlags& flags);
// {"path", "generation"?, "ttl_s"?}; kInvalid says which flag.
Result<Json> PathBody(const PathFlags& flags);

// Asks one action about one path and prints the flight it answers with, or "path: done".
int AskAboutPath(const PathFlags& flags, std::string_view action, const Json& more,
                 const std::string& done = "done");

}  // namespace sheaf::app
