// What `sheaf up`, `sheaf down` and `sheaf check` share.
#pragma once

#include <string>

#include "sheaf/apps/sheaf/cli.h"
#include "sheaf/apps/sheaf/db.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::app {

// The flags of the node that is meant, and --json.
void AddUpFlags(Command& command, DbFlags& flags);

// persistence.backend is the server that `sheaf up` runs.
inline bool IsLocal(const DbSession& session) {
  return session.settings().persistence.backend == kLocalPostgres;
}

}  // namespace sheaf::app
