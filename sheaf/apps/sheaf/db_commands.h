// Every subcommand of `sheaf db`, by the function that declares it; cmd_db.cc calls them all.
#pragma once

#include "sheaf/apps/sheaf/cli.h"

namespace sheaf::app {

void AddDbAlive(Command& db);
void AddDbCreate(Command& db);
void AddDbRotatePassword(Command& db);
void AddDbSchema(Command& db);
void AddDbHistory(Command& db);
void AddDbNodeState(Command& db);
void AddDbQload(Command& db);
void AddDbBackup(Command& db);
void AddDbMigrate(Command& db);
void AddDbPurge(Command& db);
void AddDbRestore(Command& db);
void AddDbLoad(Command& db);
void AddDbVerify(Command& db);

}  // namespace sheaf::app
