// The same call in Python: stock pyarrow, nothing of ours.
#pragma once

#include <string>

#include "sheaf/wire/command/command.h"

namespace sheaf::app {

// A program that runs as it is: connect, GetFlightInfo, DoGet of every endpoint.
std::string QueryAsPython(const std::string& server, const Json& command);
std::string GetAsPython(const std::string& server, const Path& path);

}  // namespace sheaf::app
