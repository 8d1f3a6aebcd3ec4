// sheaf completion: scripts for shells, made from what the program declares.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/completion.h"
#include "sheaf/apps/sheaf/exit.h"

namespace sheaf::app {

void AddCompletion(Cli& cli) {
  auto shell = std::make_shared<std::string>();
  auto command = cli.Add("completion", "Print a completion script for a shell");
  command.Choice("SHELL", *shell, {"bash", "zsh", "fish"}, "Which one")
      .Required()
      .Does([shell, &cli] {
        std::fputs(CompletionScript(*shell, cli.Facts()).c_str(), stdout);
        return static_cast<int>(kExitOk);
      })
      .Examples(
          "  source <(sheaf completion bash)\n"
          "  sheaf completion zsh > \"${fpath[1]}/_sheaf\"\n"
          "  sheaf completion fish > ~/.config/fish/completions/sheaf.fish");
}

}  // namespace sheaf::app
