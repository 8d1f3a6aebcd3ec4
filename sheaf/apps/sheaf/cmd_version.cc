// sheaf version: of the program and of Arrow below it.

#include <arrow/config.h>

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/node.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::app {

void AddVersion(Cli& cli) {
  auto json = std::make_shared<bool>(false);
  auto command = cli.Add("version", "Print the version");
  command.Flag("--json", *json, "As JSON").Does([json] {
    const std::string arrow = arrow::GetBuildInfo().version_string;
    if (*json) {
      std::printf("%s\n", Json{{"version", kVersion}, {"arrow", arrow}}.dump().c_str());
    } else {
      std::printf("sheaf %s (Arrow %s)\n", kVersion, arrow.c_str());
    }
    return static_cast<int>(kExitOk);
  });
}

}  // namespace sheaf::app
