// sheaf tasks: what runs on a node, and what has just run.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/apps/sheaf/terminal.h"
#include "sheaf/apps/sheaf/tree.h"

namespace sheaf::app {
namespace {

struct TasksFlags {
  ConnectFlags connect;
  std::string task;
  bool json = false, all = false;
};

bool HasEnded(const Json& task) {
  const std::string state = task.value("state", "");
  return state == "completed" || state == "errored" || state == "cancelled";
}

std::string SpentOn(const Json& task) {
  double ms = 0;
  const Json times = task.value("ms", Json::object());
  for (const char* phase : {"queue", "run"}) ms += times.value(phase, 0.0);
  return Seconds(std::chrono::microseconds(static_cast<int64_t>(ms * 1000)));
}

std::string SinkOf(const Json& task) {
  if (!task.contains("sink")) return "";
  const auto path = Path::FromJson(task["sink"].value("path", Json()), "path");
  return path.ok() ? path->Text() : "";
}

void PrintTasks(const std::vector<Json>& tasks, bool all) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& task : tasks) {
    if (!all && HasEnded(task)) continue;
    rows.push_back({task.value("task", ""), task.value("service", ""), task.value("state", ""),
                    SizeWords(task), SpentOn(task), task.value("principal", ""), SinkOf(task)});
  }
  const std::vector<TableColumn> columns{
      {"task"}, {"service"}, {"state"}, {"size"}, {"time", Align::kRight}, {"principal"}, {"sink"}};
  std::fputs(FormatTable(columns, rows, {.width = TerminalWidth()}).c_str(), stdout);
  const size_t hidden = tasks.size() - rows.size();
  std::printf("(%zu task%s%s)\n", rows.size(), rows.size() == 1 ? "" : "s",
              hidden == 0 ? "" : (", " + std::to_string(hidden) + " ended: --all").c_str());
}

Status Show(Session& session, const TasksFlags& flags) {
  if (!flags.task.empty()) {
    SHEAF_ASSIGN(const Json task, session.Ask("GetTask", {{"task", flags.task}}));
    std::fputs(flags.json ? (task.dump() + "\n").c_str() : FormatTree(task).c_str(), stdout);
    return Done();
  }
  SHEAF_ASSIGN(const auto tasks,
               session.flights().Do("ListTasks", Json::object(), session.context()));
  if (!flags.json) {
    PrintTasks(tasks, flags.all);
    return Done();
  }
  for (const Json& task : tasks) std::printf("%s\n", task.dump().c_str());
  return Done();
}

}  // namespace

void AddTasks(Cli& cli) {
  auto flags = std::make_shared<TasksFlags>();
  auto command = cli.Add("tasks", "List the tasks of a node, or show one");
  command.Text("TASK", flags->task, "The tree of this one")
      .Flag("--all,-a", flags->all, "Also those that have ended")
      .Flag("--json", flags->json, "One JSON object a line");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command
      .Does([flags] {
        return WithSession(flags->connect, ConnectFlags::Otherwise::kDefaultServer, {},
                           [&](Session& session) { return Show(session, *flags); });
      })
      .Examples(
          "  sheaf tasks\n"
          "  sheaf tasks --all --json | jq .ms.run\n"
          "  sheaf cancel \"$(sheaf tasks --json | jq -r .task | head -1)\"");
}

}  // namespace sheaf::app
