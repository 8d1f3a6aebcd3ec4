// sheaf serve: a node until it is told to stop.

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/configuration.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/node.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/signals.h"

namespace sheaf::app {
namespace {

// The one line on standard output; tools wait for it.
void PrintReady(const Node& node) {
  Json ready{
      {"ready", true}, {"flight", node.flight_uri()}, {"pid", ::getpid()}, {"version", kVersion}};
  if (!node.http_uri().empty()) ready["http"] = node.http_uri();
  std::printf("%s\n", ready.dump().c_str());
  std::fflush(stdout);
  std::clearerr(stdout);  // A node whose starter has stopped listening still stops with 0.
}

struct ServeFlags {
  ConfigFlags config;
  bool warm = false, cold = false;
};

int Serve(const ServeFlags& flags) {
  if (flags.warm && flags.cold) {
    return ReportUsage(Fail(Kind::kInvalid, "--warm and --cold exclude each other"));
  }
  auto config = ReadConfig(flags.config);
  if (!config.ok()) return ReportUsage(config.error());
  std::signal(SIGPIPE, SIG_IGN);
  Event told;
  // What is not durable is given up by a second signal; the state directory bears that.
  const Signals signals([&](int count, int) {
    if (count > 1) std::_Exit(kExitOk);
    told.Set();
  });
  const Duration drain = config->settings().stop.drain_s;
  using Restart = NodeOptions::Restart;
  Started started = StartNode({.config = std::move(config).value(),
                               .restart = flags.cold ? Restart::kCold : Restart::kWarm});
  if (started.failed) return ReportStart(*started.failed);
  PrintReady(*started.node);
  told.Wait();
  started.node->Stop(drain);
  if (started.node->left_behind()) std::_Exit(kExitOk);
  return kExitOk;
}

}  // namespace

void AddServe(Cli& cli) {
  auto flags = std::make_shared<ServeFlags>();
  auto command = cli.Add("serve", "Run a node until SIGTERM or Ctrl-C");
  command.Text("--config", flags->config.file, "TOML file with settings; see `sheaf config keys`")
      .Text("--state", flags->config.state, "State directory, the same as --set state.dir=…")
      .NotEmpty("a directory")
      .Texts("--set", flags->config.sets, "key=value, repeatable; wins over file and environment")
      .Flag("--warm", flags->warm, "Queue again what the last process left unfinished (default)")
      .Flag("--cold", flags->cold, "Give up what the last process left unfinished")
      .Does([flags] { return Serve(*flags); })
      .Examples(
          "  sheaf serve\n"
          "  sheaf serve --state /var/lib/sheaf --set files.roots=/data\n"
          "  sheaf serve --config node.toml --set flight.listen=127.0.0.1:0\n"
          "  sheaf serve --cold --set persistence.backend=sqlite:/var/lib/sheaf/work.db\n"
          "When it is ready it prints one line of JSON with its addresses. SIGTERM lets running\n"
          "work finish (stop.drain_s), a second one stops at once.");
}

}  // namespace sheaf::app
