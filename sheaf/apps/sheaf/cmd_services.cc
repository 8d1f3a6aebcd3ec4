// sheaf services: the services that are registered, and their state.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/apps/sheaf/table_rows.h"
#include "sheaf/apps/sheaf/terminal.h"

namespace sheaf::app {
namespace {

Status Show(Session& session, bool as_json) {
  SHEAF_ASSIGN(const auto services, ReadTable(session, {{"table", "smmeta"}}));
  std::vector<std::vector<std::string>> rows;
  for (const Json& service : services) {
    if (as_json) {
      std::printf("%s\n", service.dump().c_str());
      continue;
    }
    rows.push_back({CellOf(service, "numeric_id"), CellOf(service, "endpoint"),
                    CellOf(service, "service_state"), CellOf(service, "registration_date"),
                    CellOf(service, "last_ping_readable"), CellOf(service, "submit_error")});
  }
  if (as_json) return Done();
  const std::vector<TableColumn> columns{{"id", Align::kRight}, {"service"}, {"state"},
                                         {"registered"},        {"since"},   {"reason"}};
  std::fputs(FormatTable(columns, rows, {.width = TerminalWidth()}).c_str(), stdout);
  std::printf("(%zu service%s)\n", rows.size(), rows.size() == 1 ? "" : "s");
  return Done();
}

}  // namespace

void AddServices(Cli& cli) {
  struct ServicesFlags {
    ConnectFlags connect;
    bool json = false;
  };
  auto flags = std::make_shared<ServicesFlags>();
  auto command = cli.Add("services", "List the registered services with their state");
  command.Flag("--json", flags->json, "One JSON object a line");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command
      .Does([flags] {
        return WithSession(flags->connect, ConnectFlags::Otherwise::kDefaultServer, {},
                           [&](Session& session) { return Show(session, flags->json); });
      })
      .Examples(
          "  sheaf services\n"
          "  sheaf services --json | jq 'select(.service_state != \"Available\")'");
}

}  // namespace sheaf::app
