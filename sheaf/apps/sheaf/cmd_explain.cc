// sheaf explain: the tree of a command or a task, and what becomes of each node.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/asking.h"
#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/tree.h"

namespace sheaf::app {
namespace {

struct ExplainFlags {
  AskFlags ask;
  std::string task;
  bool json = false;
};

int Explain(ExplainFlags& flags) {
  Json body;
  std::vector<std::string> roots;
  if (!flags.task.empty()) {
    body = {{"task", flags.task}};
  } else {
    auto asked = ReadAsked(flags.ask);
    if (!asked.ok()) return ReportUsage(asked.error());
    body = {{"command", std::move(asked->json)}};
    roots = std::move(asked->roots);
  }
  return WithSession(
      flags.ask.connect, ConnectFlags::Otherwise::kEmbedded, roots,
      [&](Session& session) -> Status {
        SHEAF_ASSIGN(const Json tree, session.Ask("Explain", body));
        std::fputs(flags.json ? (tree.dump() + "\n").c_str() : FormatTree(tree).c_str(), stdout);
        return Done();
      });
}

}  // namespace

void AddExplain(Cli& cli) {
  auto flags = std::make_shared<ExplainFlags>();
  auto command = cli.Add("explain", "Show what a command would do, or what a task did");
  AddAsking(command, flags->ask);
  command.Text("--task", flags->task, "The tree of this task instead")
      .Flag("--json", flags->json, "As JSON");
  command.Does([flags] { return Explain(*flags); })
      .Examples(
          "  sheaf explain -i orders.parquet \"select count(*) from orders\"\n"
          "  sheaf explain --server grpc://127.0.0.1:8815 --file command.json\n"
          "  sheaf explain --server grpc://127.0.0.1:8815 --task 0f3c…\n"
          "Each line says what becomes of a node: hit (kept already), shared (a run that is\n"
          "under way), fused (read by its consumer), planned or run, read (a path).");
}

}  // namespace sheaf::app
