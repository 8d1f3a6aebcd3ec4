// sheaf config: the settings that a node would have, and what is wrong with them.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/built_in.h"
#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/configuration.h"
#include "sheaf/apps/sheaf/exit.h"

namespace sheaf::app {
namespace {

void AddConfigFlags(Command& command, ConfigFlags& flags) {
  command.Text("--config", flags.file, "TOML file with settings")
      .Text("--state", flags.state, "The same as --set state.dir=…")
      .NotEmpty("a directory")
      .Texts("--set", flags.sets, "key=value, repeatable; wins over file and environment");
}

int Check(const settings::Config& config) {
  for (const auto& problem : config.problems()) {
    std::fprintf(stderr, "sheaf: %s\n", problem.Text().c_str());
  }
  if (auto modules = CheckModules(config.settings()); !modules.ok()) {
    return ReportUsage(modules.error());
  }
  return config.problems().empty() ? kExitOk : kExitUsage;
}

}  // namespace

void AddConfig(Cli& cli) {
  auto flags = std::make_shared<ConfigFlags>();
  auto command = cli.Add("config", "Show or check settings");
  auto show = command.Sub("show", "Print every setting with its origin, as TOML");
  AddConfigFlags(show, *flags);
  show.Does([flags] {
        const auto config = ReadConfig(*flags);
        if (!config.ok()) return ReportUsage(config.error());
        std::fputs(config->Show().c_str(), stdout);
        return Check(*config);
      })
      .Examples("  sheaf config show --config node.toml --set flight.listen=127.0.0.1:0");
  auto check = command.Sub("check", "Say what is wrong; exit code 2 when something is");
  AddConfigFlags(check, *flags);
  check
      .Does([flags] {
        const auto config = ReadConfig(*flags);
        if (!config.ok()) return ReportUsage(config.error());
        const int code = Check(*config);
        if (code == kExitOk) std::puts("the configuration is good");
        return code;
      })
      .Examples("  sheaf config check --config node.toml");
  auto keys = command.Sub("keys", "Every key with its meaning and default, as a Markdown table");
  keys.Does([] {
    std::fputs(settings::Reference().c_str(), stdout);
    return static_cast<int>(kExitOk);
  });
}

}  // namespace sheaf::app
