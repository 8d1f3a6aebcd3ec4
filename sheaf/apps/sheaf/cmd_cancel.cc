// sheaf cancel: ends one's interest in a task, or the task.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/task_id.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

struct CancelFlags {
  ConnectFlags connect;
  std::string task;
  bool force = false;
};

// The state in which a task has ended; empty while it runs, or is not the caller's.
std::string EndOf(const std::string& id, const std::vector<Json>& tasks) {
  for (const Json& task : tasks) {
    if (task.value("task", "") != id) continue;
    const std::string state = task.value("state", "");
    if (state == "completed" || state == "errored" || state == "cancelled") return state;
  }
  return "";
}

Status CancelTask(Session& session, const CancelFlags& flags) {
  SHEAF_ASSIGN(const auto tasks,
               session.flights().Do("ListTasks", Json::object(), session.context()));
  SHEAF_ASSIGN(const std::string id, WholeTaskId(flags.task, tasks));
  Json body{{"task", id}};
  if (flags.force) body["force"] = true;
  SHEAF_TRY(session.Ask("CancelTask", body));  // Of one that has ended it gives up the result.
  const std::string ended = EndOf(id, tasks);
  std::printf("%s: %s\n", Printable(id).c_str(),
              ended.empty() ? "cancelled" : ("already " + ended).c_str());
  return Done();
}

}  // namespace

void AddCancel(Cli& cli) {
  auto flags = std::make_shared<CancelFlags>();
  auto command = cli.Add("cancel", "End your interest in a task; without others it stops");
  command.Text("TASK", flags->task, "As `sheaf tasks` shows it, or its first digits, 6 at least")
      .Required()
      .Flag("--force", flags->force, "Stop it for all who wait (administrators)");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command
      .Does([flags] {
        return WithSession(flags->connect, ConnectFlags::Otherwise::kDefaultServer, {},
                           [&](Session& session) { return CancelTask(session, *flags); });
      })
      .Examples(
          "  sheaf cancel 0f3c5d\n"
          "  sheaf cancel 0f3c5d --force");
}

}  // namespace sheaf::app
