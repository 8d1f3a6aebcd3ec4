// Every subcommand, by the function that declares it; main calls them all.
#pragma once

#include "sheaf/apps/sheaf/cli.h"

namespace sheaf::app {

void AddServe(Cli& cli);
void AddUp(Cli& cli);
void AddDown(Cli& cli);
void AddCheck(Cli& cli);
void AddQuery(Cli& cli);
void AddGet(Cli& cli);
void AddPut(Cli& cli);
void AddLs(Cli& cli);
void AddInfo(Cli& cli);
void AddRefresh(Cli& cli);
void AddExplain(Cli& cli);
void AddTasks(Cli& cli);
void AddHistory(Cli& cli);
void AddServices(Cli& cli);
void AddNodes(Cli& cli);
void AddCancel(Cli& cli);
void AddRenew(Cli& cli);
void AddDrop(Cli& cli);
void AddPin(Cli& cli);
void AddHealth(Cli& cli);
void AddDb(Cli& cli);
void AddConfig(Cli& cli);
void AddVersion(Cli& cli);
void AddCompletion(Cli& cli);

}  // namespace sheaf::app
