// sheaf health: is a node ready, and if not, what is the matter?

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/apps/sheaf/terminal.h"

namespace sheaf::app {
namespace {

// What waits for a database that is away, and what was set aside; nothing when there is neither.
void PrintSpool(const Json& spool) {
  const auto number = [&](const char* key) { return spool.value(key, int64_t{0}); };
  if (spool.contains("since")) {
    std::printf("spool: %lld writes (%s of %s) wait since %s\n",
                static_cast<long long>(number("records")),
                core::ToText({number("bytes")}).c_str(),
                core::ToText({number("bytes_max")}).c_str(),
                Printable(spool.value("since", "")).c_str());
  }
  if (number("set_aside") > 0) {
    std::printf("spool: %lld acknowledged writes could not be made and are set aside\n",
                static_cast<long long>(number("set_aside")));
  }
  for (const Json& file : spool.value("kept", Json::array())) {
    std::printf("spool: look at %s\n", Printable(file.get<std::string>()).c_str());
  }
}

void PrintHealth(const Json& health) {
  const std::string state = health.value("state", "");
  std::string words = health.value("ready", false) ? "ready" : "not ready";
  if (state != "ready" && !state.empty()) words += ": " + state;
  std::printf("%s is %s\n", Printable(health.value("node", "the node")).c_str(),
              Printable(words).c_str());
  if (const Json kept = health.value("persistence", Json::object()); !kept.empty()) {
    std::string memory = kept.value("backend", "") + " is " + kept.value("state", "?");
    if (kept.contains("error")) memory += ": " + kept["error"].get<std::string>();
    std::printf("memory: %s\n", Printable(memory).c_str());
    PrintSpool(kept.value("spool", Json::object()));
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& module : health.value("modules", Json::array())) {
    rows.push_back({module.value("name", ""), module.value("state", ""),
                    Seconds(std::chrono::milliseconds(module.value("age_ms", int64_t{0}))),
                    module.value("reason", "")});
  }
  const std::vector<TableColumn> columns{{"module"}, {"state"}, {"age", Align::kRight}, {"reason"}};
  std::fputs(FormatTable(columns, rows, {.width = TerminalWidth()}).c_str(), stdout);
}

}  // namespace

void AddHealth(Cli& cli) {
  struct HealthFlags {
    ConnectFlags connect;
    bool json = false;
  };
  auto flags = std::make_shared<HealthFlags>();
  auto command = cli.Add("health", "Ask a node whether it is ready; exit code 1 when it is not");
  command.Flag("--json", flags->json, "As JSON");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command
      .Does([flags] {
        bool ready = false;
        const int code = WithSession(flags->connect, ConnectFlags::Otherwise::kDefaultServer, {},
                                     [&](Session& session) -> Status {
                                       SHEAF_ASSIGN(const Json health,
                                                    session.Ask("HealthCheck", Json::object()));
                                       ready = health.value("ready", false);
                                       if (flags->json) {
                                         std::printf("%s\n", health.dump().c_str());
                                       } else {
                                         PrintHealth(health);
                                       }
                                       return Done();
                                     });
        return code == kExitOk && !ready ? static_cast<int>(kExitRefused) : code;
      })
      .Examples(
          "  sheaf health\n"
          "  until sheaf health --timeout 1s >/dev/null 2>&1; do sleep 1; done");
}

}  // namespace sheaf::app
