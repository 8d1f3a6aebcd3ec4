// sheaf ls: the flights that are there, in path order.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/paths.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/apps/sheaf/terminal.h"

namespace sheaf::app {
namespace {

constexpr size_t kPage = 1000;

struct LsFlags {
  ConnectFlags connect;
  std::string prefix, after;
  int64_t limit = 10'000;
  bool json = false, names = false, all = false;
  // The server's own flights, its tables, are asked for by their name.
  bool own() const { return all || !prefix.empty(); }
};

std::string TextAt(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

Json ToJson(const flights::Listed& flight) {
  Json json = flight.metadata;
  json["path"] = flight.path.ToJson();
  json["rows"] = flight.rows;
  json["bytes"] = flight.bytes;
  return json;
}

bool IsOwn(const flights::Listed& flight) {
  const auto own = flight.metadata.find("own");
  return own != flight.metadata.end() && *own == true;
}

// Page by page: what is printed is forgotten.
Status Each(Session& session, const LsFlags& flags, const Path& prefix, Path after,
            const std::function<void(const flights::Listed&)>& print) {
  int64_t limit = flags.limit;
  while (limit > 0) {
    const size_t page = std::min<size_t>(kPage, static_cast<size_t>(limit));
    SHEAF_ASSIGN(const auto listed, session.flights().List(prefix, after, page, session.context()));
    for (const auto& flight : listed) {
      if (!flags.own() && IsOwn(flight)) continue;
      print(flight);
      --limit;
    }
    if (listed.size() < page) return Done();
    after = listed.back().path;
  }
  return Done();
}

Status PrintTable(Session& session, const LsFlags& flags, const Path& prefix, const Path& after) {
  const std::vector<TableColumn> columns{{"path", Align::kLeft},   {"rows", Align::kRight},
                                         {"size", Align::kRight},  {"generation", Align::kRight},
                                         {"tier", Align::kLeft},   {"created", Align::kLeft},
                                         {"expires", Align::kLeft}};
  std::vector<std::vector<std::string>> rows;
  SHEAF_TRY(Each(session, flags, prefix, after, [&](const flights::Listed& flight) {
    const Json& more = flight.metadata;
    const bool pinned = more.contains("pinned") && more["pinned"] == true;
    // What is made when it is read has no size yet.
    const bool made = flight.rows < 0;
    rows.push_back({flight.path.Text(), made ? "" : Grouped(flight.rows),
                    made ? "" : core::ToText(Bytes{flight.bytes}),
                    more.contains("generation") ? more["generation"].dump() : "",
                    TextAt(more, "tier"), TextAt(more, "created"),
                    pinned ? "pinned" : TextAt(more, "expires")});
  }));
  std::fputs(FormatTable(columns, rows, {.width = TerminalWidth()}).c_str(), stdout);
  std::printf("(%s flight%s%s)\n", Grouped(static_cast<int64_t>(rows.size())).c_str(),
              rows.size() == 1 ? "" : "s",
              static_cast<int64_t>(rows.size()) == flags.limit ? ", --limit shows more" : "");
  return Done();
}

Status List(Session& session, const LsFlags& flags, const Path& prefix, const Path& after) {
  if (!flags.json && !flags.names) return PrintTable(session, flags, prefix, after);
  return Each(session, flags, prefix, after, [&](const flights::Listed& flight) {
    const std::string line = flags.json ? ToJson(flight).dump() : Printable(flight.path.Text());
    std::printf("%s\n", line.c_str());
  });
}

int Ls(const LsFlags& flags) {
  const auto prefix = ParsePrefix(flags.prefix);
  const auto after = ParsePrefix(flags.after);
  if (!prefix.ok()) return ReportUsage(prefix.error());
  if (!after.ok()) return ReportUsage(after.error());
  return WithSession(flags.connect, ConnectFlags::Otherwise::kDefaultServer, {},
                     [&](Session& session) { return List(session, flags, *prefix, *after); });
}

}  // namespace

void AddLs(Cli& cli) {
  auto flags = std::make_shared<LsFlags>();
  auto command = cli.Add("ls", "List flights in path order");
  command.Text("PREFIX", flags->prefix, "Only paths below this one")
      .Text("--after", flags->after, "Begin after this path")
      .Number("--limit", flags->limit, 1, 100'000'000, "Flights at most (10,000)")
      .Flag("--all,-a", flags->all, "Also the server's own tables, which are below sheaf")
      .Flag("--names,-1", flags->names, "Paths alone, one a line")
      .Flag("--json", flags->json, "One JSON object a line");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command.Does([flags] { return Ls(*flags); })
      .Examples(
          "  sheaf ls\n"
          "  sheaf ls reports --json\n"
          "  sheaf ls sheaf          # the server's own tables: sheaf/jobs and others\n"
          "  sheaf ls raw -1 | while read path; do sheaf info \"$path\"; done");
}

}  // namespace sheaf::app
