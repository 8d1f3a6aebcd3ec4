// sheaf down: ends what `sheaf up` started, the node first.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/local_postgres.h"
#include "sheaf/apps/sheaf/running.h"
#include "sheaf/apps/sheaf/up.h"

namespace sheaf::app {
namespace {

Result<int> Down(DbSession& session, bool json) {
  if (const int missing = ExpectState(session); missing != kExitOk) return missing;
  SHEAF_ASSIGN(const auto alone, LockRun(session.state_dir()));
  const auto node = FindNode(session.state_dir());
  if (node) {
    SHEAF_TRY(StopServing(*node, session.state_dir(), session.report()));
  }
  // Also when the configuration has changed since: what runs below the directory is ended.
  const auto parts = session.parts(persistence::Opening::kLook);
  LocalPostgres server(session.state_dir(), session.settings(),
                       SurroundingsOf(parts.clock, parts.ending));
  SHEAF_ASSIGN(const bool database, server.Down(session.report()));
  if (json) {
    const Json told{{"stopped", {{"node", node.has_value()}, {"database", database}}}};
    std::printf("%s\n", told.dump().c_str());
    return static_cast<int>(kExitOk);
  }
  if (node) std::puts("node: stopped");
  if (database) std::puts("database: stopped");
  if (!node && !database) std::puts("nothing was up");
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddDown(Cli& cli) {
  auto flags = std::make_shared<DbFlags>();
  auto command = cli.Add("down", "Stop the node that `sheaf up` started, then its database");
  AddUpFlags(command, *flags);
  command
      .Does([flags] {
        return WithDbSettings(*flags,
                              [&](DbSession& session) { return Down(session, flags->json); });
      })
      .Examples(
          "  sheaf down --config node.toml\n"
          "  sheaf down --state ./sheaf-state\n"
          "Running work may finish (stop.drain_s); the next start queues again what is left.");
}

}  // namespace sheaf::app
