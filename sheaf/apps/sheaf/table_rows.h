// Rows of the tables that a node keeps (["sheaf", …]), for commands that print them.
#pragma once

#include <string>
#include <vector>

#include "sheaf/apps/sheaf/session.h"

namespace sheaf::app {

// The rows of a table as JSON objects by column, those without a value left out. `spec` is that of
// the service `sheaf`.
Result<std::vector<Json>> ReadTable(Session& session, const Json& spec);

// Of a row: text as it is, anything else as JSON; empty when there is none.
std::string CellOf(const Json& row, const char* column);
// "2026-11-23 06:10:00" of milliseconds; empty when there are none.
std::string TimeOf(const Json& row, const char* column);

}  // namespace sheaf::app
