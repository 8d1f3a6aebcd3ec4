// The same call in Python: stock pyarrow, nothing of ours.
#pragma once

#include <string>
#include <vector>

#include "sheaf/wire/command/command.h"

namespace sheaf::app {

// A program that runs as it is: connect, GetFlightInfo, DoGet of every endpoint.
std::string QueryAsPython(const std::string& server, const Json& command);
// `columns` empty: all. A generation makes it one DoGet by a JSON ticket.
std::string GetAsPython(const std::string& server, const command::PathRef& what,
                        const std::vector<std::string>& columns);

}  // namespace sheaf::app
