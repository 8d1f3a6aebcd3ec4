// sheaf info: a flight and where it came from.

#include <arrow/type.h>

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/flight_words.h"
#include "sheaf/apps/sheaf/paths.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/apps/sheaf/terminal.h"

namespace sheaf::app {
namespace {

std::string SchemaTable(const arrow::Schema& schema) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& field : schema.fields()) {
    rows.push_back(
        {field->name(), field->type()->ToString() + (field->nullable() ? "" : " not null")});
  }
  return FormatTable({{"column"}, {"type"}}, rows, {.width = TerminalWidth()});
}

Status Show(Session& session, const PathFlags& flags, const Path& path, const Json& body) {
  SHEAF_ASSIGN(Json flight, session.Ask("GetFlight", body));
  SHEAF_ASSIGN(const Schema schema,
               session.flights().GetSchema(command::PathRef{path, {}}, session.context()));
  if (flags.json) {
    Json columns = Json::array();
    for (const auto& field : schema->fields()) {
      columns.push_back({{"name", field->name()},
                         {"type", field->type()->ToString()},
                         {"nullable", field->nullable()}});
    }
    flight["columns"] = std::move(columns);
    std::printf("%s\n", flight.dump().c_str());
    return Done();
  }
  std::printf("%s\n%s", FlightWords(flight).c_str(), SchemaTable(*schema).c_str());
  return Done();
}

int Info(const PathFlags& flags) {
  const auto path = ParsePath(flags.path);
  if (!path.ok()) return ReportUsage(path.error());
  const auto body = PathBody(flags);
  if (!body.ok()) return ReportUsage(body.error());
  return WithSession(flags.connect, ConnectFlags::Otherwise::kDefaultServer, {},
                     [&](Session& session) { return Show(session, flags, *path, *body); });
}

}  // namespace

void AddInfo(Cli& cli) {
  auto flags = std::make_shared<PathFlags>();
  auto command = cli.Add("info", "Show a flight: columns, sizes, times, and what made it");
  AddPathFlags(command, *flags);
  command.Does([flags] { return Info(*flags); })
      .Examples(
          "  sheaf info reports/daily\n"
          "  sheaf info reports/daily --json | jq .command > daily.json\n"
          "  sheaf query --file daily.json");
}

}  // namespace sheaf::app
