// sheaf get: shows or writes the flight at a path.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/paths.h"
#include "sheaf/apps/sheaf/python.h"
#include "sheaf/apps/sheaf/reading.h"

namespace sheaf::app {
namespace {

struct GetFlags {
  ConnectFlags connect;
  ReadFlags read;
  std::string path;
  int64_t generation = -1;
  std::vector<std::string> columns;
};

int Get(GetFlags& flags) {
  const auto path = ParsePath(flags.path);
  if (!path.ok()) return ReportUsage(path.error());
  if (auto status = CheckReading(flags.read); !status.ok()) return ReportUsage(status.error());
  command::PathRef what{*path, {}};
  if (flags.generation >= 0) what.generation = static_cast<uint64_t>(flags.generation);
  if (flags.read.as_python) {
    const auto& server = flags.connect.server.empty() ? kDefaultServer : flags.connect.server;
    std::fputs(GetAsPython(server, what, flags.columns).c_str(), stdout);
    return kExitOk;
  }
  return WithSession(
      flags.connect, ConnectFlags::Otherwise::kDefaultServer, {}, [&](Session& session) {
        return ReadOut(session, {.what = what, .columns = flags.columns}, flags.read);
      });
}

}  // namespace

void AddGet(Cli& cli) {
  auto flags = std::make_shared<GetFlags>();
  auto command = cli.Add("get", "Show or write the flight at a path");
  command.Text("PATH", flags->path, "namespace/name")
      .Required()
      .Texts("--column,-c", flags->columns, "Only this column, repeatable, in this order")
      .Number("--generation", flags->generation, 0, INT64_MAX, "This generation or nothing");
  AddReading(command, flags->read);
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command.Does([flags] { return Get(*flags); })
      .Examples(
          "  sheaf get raw/orders\n"
          "  sheaf get raw/orders -c o_orderkey -c o_totalprice -o orders.csv\n"
          "  sheaf get raw/orders --format arrow | other-program");
}

}  // namespace sheaf::app
