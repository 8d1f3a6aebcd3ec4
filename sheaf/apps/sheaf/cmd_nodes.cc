// sheaf nodes: the nodes, what they have to give, and what is asked of them.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/apps/sheaf/table_rows.h"
#include "sheaf/apps/sheaf/terminal.h"

namespace sheaf::app {
namespace {

void PrintNodes(const std::vector<Json>& nodes, const std::vector<Json>& load) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& node : nodes) {
    rows.push_back({CellOf(node, "name"), node.value("online", false) ? "online" : "gone",
                    CellOf(node, "ip"), CellOf(node, "memory") + " GiB",
                    CellOf(node, "share_order"), CellOf(node, "shares_left")});
  }
  const std::vector<TableColumn> columns{{"node"},
                                         {"state"},
                                         {"address"},
                                         {"memory", Align::kRight},
                                         {"slots", Align::kRight},
                                         {"free", Align::kRight}};
  std::fputs(FormatTable(columns, rows, {.width = TerminalWidth()}).c_str(), stdout);
  size_t run = 0;
  for (const Json& job : load) run += job.value("occupancy", 0) > 0 ? 1 : 0;
  std::printf("(%zu node%s; of the jobs older than a second %zu run, %zu wait)\n", rows.size(),
              rows.size() == 1 ? "" : "s", run, load.size() - run);
}

Status Show(Session& session, bool as_json) {
  SHEAF_ASSIGN(const auto nodes, ReadTable(session, {{"table", "rmnodes"}}));
  if (!as_json) {
    SHEAF_ASSIGN(const auto load, ReadTable(session, {{"table", "rmload"}}));
    PrintNodes(nodes, load);
    return Done();
  }
  for (const Json& node : nodes) std::printf("%s\n", node.dump().c_str());
  return Done();
}

}  // namespace

void AddNodes(Cli& cli) {
  struct NodesFlags {
    ConnectFlags connect;
    bool json = false;
  };
  auto flags = std::make_shared<NodesFlags>();
  auto command = cli.Add("nodes", "List the nodes with their slots and what they do");
  command.Flag("--json", flags->json, "One JSON object a line");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command
      .Does([flags] {
        return WithSession(flags->connect, ConnectFlags::Otherwise::kDefaultServer, {},
                           [&](Session& session) { return Show(session, flags->json); });
      })
      .Examples(
          "  sheaf nodes\n"
          "  sheaf nodes --json | jq -r 'select(.online) | .name'");
}

}  // namespace sheaf::app
