// sheaf refresh: runs the command that made a flight again.

#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/flight_words.h"

namespace sheaf::app {

void AddRefresh(Cli& cli) {
  auto flags = std::make_shared<PathFlags>();
  auto command = cli.Add("refresh", "Run the command that made a flight again, and wait for it");
  command.Text("--ttl", flags->ttl, "Keep the new one this long: 90s, 15m, 2h, 7d");
  AddPathFlags(command, *flags);
  command.Does([flags] { return AskAboutPath(*flags, "RefreshFlight", Json::object()); })
      .Examples(
          "  sheaf refresh reports/daily\n"
          "  sheaf refresh reports/daily --ttl 1h --json");
}

}  // namespace sheaf::app
