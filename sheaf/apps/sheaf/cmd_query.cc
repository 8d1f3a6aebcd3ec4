// sheaf query: runs SQL or a command, here or on a server, and shows or writes its result.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/asking.h"
#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/python.h"
#include "sheaf/apps/sheaf/reading.h"

namespace sheaf::app {
namespace {

struct QueryFlags {
  AskFlags ask;
  ReadFlags read;
};

int Query(QueryFlags& flags) {
  auto asked = ReadAsked(flags.ask);
  if (!asked.ok()) return ReportUsage(asked.error());
  if (auto status = CheckReading(flags.read); !status.ok()) return ReportUsage(status.error());
  const std::string& server = flags.ask.connect.server;
  if (flags.read.as_python) {
    const auto text = QueryAsPython(server.empty() ? kDefaultServer : server, asked->json);
    std::fputs(text.c_str(), stdout);
    return kExitOk;
  }
  return WithSession(
      flags.ask.connect, ConnectFlags::Otherwise::kEmbedded, asked->roots,
      [&](Session& session) { return ReadOut(session, {.what = asked->command}, flags.read); });
}

}  // namespace

void AddQuery(Cli& cli) {
  auto flags = std::make_shared<QueryFlags>();
  flags->ask.connect.new_state = ConnectFlags::NewState::kMade;
  auto command = cli.Add("query", "Run SQL or a command and show its result");
  AddAsking(command, flags->ask);
  AddReading(command, flags->read);
  command.Does([flags] { return Query(*flags); })
      .Examples(
          "  sheaf query \"select 42 as answer\"\n"
          "  sheaf query -i orders.parquet \"select count(*) from orders\"\n"
          "  sheaf query --server grpc://127.0.0.1:8815 -i o=raw/orders \\\n"
          "      --sink reports/daily --ttl 1h \"select * from o\" -o daily.parquet\n"
          "  sheaf query --file command.json --as-python\n"
          "  echo \"select ? + 1 as n\" | sheaf query - --param 41 --format csv");
}

}  // namespace sheaf::app
