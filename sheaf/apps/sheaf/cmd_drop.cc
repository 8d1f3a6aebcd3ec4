// sheaf drop: removes a flight.

#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/flight_words.h"

namespace sheaf::app {

void AddDrop(Cli& cli) {
  auto flags = std::make_shared<PathFlags>();
  auto command = cli.Add("drop", "Remove the flight at a path");
  AddPathFlags(command, *flags);
  command.Does([flags] { return AskAboutPath(*flags, "DropFlight", Json::object(), "dropped"); })
      .Examples(
          "  sheaf drop reports/daily\n"
          "  sheaf drop reports/daily --generation 12");
}

}  // namespace sheaf::app
