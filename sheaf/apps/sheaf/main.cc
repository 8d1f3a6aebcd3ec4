// The program. Its parts are bound in node.cc; its words are declared in cmd_*.cc.

#include <cstdlib>

#include "sheaf/apps/sheaf/cli.h"
#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/node.h"

int main(int argc, char** argv) {
  using namespace sheaf::app;  // NOLINT(google-build-using-namespace): this file is the app.
  // gRPC's own lines say what our errors say better; the variable still turns them on.
  ::setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe)
  Cli cli("sheaf", "Data services over Arrow Flight: serve them, ask them, keep their results.",
          "A command that needs no server does its work in this process.\n" + ExitCodesHelp(),
          kVersion);
  AddServe(cli);
  AddUp(cli);
  AddDown(cli);
  AddCheck(cli);
  AddQuery(cli);
  AddGet(cli);
  AddPut(cli);
  AddLs(cli);
  AddInfo(cli);
  AddRefresh(cli);
  AddExplain(cli);
  AddTasks(cli);
  AddHistory(cli);
  AddServices(cli);
  AddNodes(cli);
  AddCancel(cli);
  AddRenew(cli);
  AddDrop(cli);
  AddPin(cli);
  AddHealth(cli);
  AddDb(cli);
  AddConfig(cli);
  AddVersion(cli);
  AddCompletion(cli);
  return cli.Run(argc, argv);
}
