// sheaf cancel: ends one's interest in a task, or the task.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/session.h"

namespace sheaf::app {

void AddCancel(Cli& cli) {
  struct CancelFlags {
    ConnectFlags connect;
    std::string task;
    bool force = false;
  };
  auto flags = std::make_shared<CancelFlags>();
  auto command = cli.Add("cancel", "End your interest in a task; without others it stops");
  command.Text("TASK", flags->task, "As `sheaf tasks` shows it")
      .Required()
      .Flag("--force", flags->force, "Stop it for all who wait (administrators)");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command
      .Does([flags] {
        return WithSession(flags->connect, ConnectFlags::Otherwise::kDefaultServer, {},
                           [&](Session& session) -> Status {
                             Json body{{"task", flags->task}};
                             if (flags->force) body["force"] = true;
                             SHEAF_TRY(session.Ask("CancelTask", body));
                             std::printf("%s: cancelled\n", flags->task.c_str());
                             return Done();
                           });
      })
      .Examples(
          "  sheaf cancel 0f3c5d\n"
          "  sheaf cancel 0f3c5d --force");
}

}  // namespace sheaf::app
