// Every subcommand of `sheaf db`, by the function that declares it; cmd_db.cc calls them all.
#pragma once

#include "sheaf/apps/sheaf/cli.h"

namespace sheaf::app {

void AddDbLoad(Command& db);
void AddDbVerify(Command& db);

}  // namespace sheaf::app
