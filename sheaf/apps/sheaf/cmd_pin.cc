// sheaf pin: keeps a flight from eviction and expiry.

#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/flight_words.h"

namespace sheaf::app {

void AddPin(Cli& cli) {
  struct PinFlags : PathFlags {
    bool undo = false;
  };
  auto flags = std::make_shared<PinFlags>();
  auto command = cli.Add("pin", "Keep a flight from eviction and expiry, or no longer");
  command.Flag("--undo", flags->undo, "It may go again");
  AddPathFlags(command, *flags);
  command.Does([flags] {
           return AskAboutPath(*flags, "PinFlight", {{"pinned", !flags->undo}});
         })
      .Examples(
          "  sheaf pin reports/daily\n"
          "  sheaf pin reports/daily --undo");
}

}  // namespace sheaf::app
