// sheaf db: the database behind a node. One file a subcommand, cmd_db_*.cc.

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/db_commands.h"

namespace sheaf::app {

void AddDb(Cli& cli) {
  auto db = cli.Add("db", "Look after the database that a node keeps its memory in");
  AddDbAlive(db);
  AddDbCreate(db);
  AddDbRotatePassword(db);
  AddDbSchema(db);
  AddDbHistory(db);
  AddDbNodeState(db);
  AddDbQload(db);
  AddDbBackup(db);
  AddDbMigrate(db);
  AddDbPurge(db);
  AddDbRestore(db);
  AddDbLoad(db);
  AddDbVerify(db);
}

}  // namespace sheaf::app
