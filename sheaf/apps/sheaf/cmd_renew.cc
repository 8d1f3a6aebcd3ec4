// sheaf renew: sets a flight's time to live anew.

#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/flight_words.h"

namespace sheaf::app {

void AddRenew(Cli& cli) {
  auto flags = std::make_shared<PathFlags>();
  auto command = cli.Add("renew", "Set a flight's time to live from now; for ever without --ttl");
  command.Text("--ttl", flags->ttl, "Keep it this long: 90s, 15m, 2h, 7d");
  AddPathFlags(command, *flags);
  command.Does([flags] { return AskAboutPath(*flags, "TouchFlight", Json::object()); })
      .Examples(
          "  sheaf renew reports/daily --ttl 1h\n"
          "  sheaf renew reports/daily");
}

}  // namespace sheaf::app
