// sheaf db history: what ran, straight from the database; a node may be using it meanwhile.

#include <cstdio>
#include <memory>
#include <optional>
#include <tuple>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/history_words.h"
#include "sheaf/wire/records/row_json.h"

namespace sheaf::app {
namespace {

constexpr int64_t kNoId = INT64_MIN;  // What was loaded may have a negative one.

struct HistoryFlags {
  DbFlags db;
  std::string what = "jobs", user, class_name, state, host, from, to, after, type = "job";
  int64_t id = kNoId, limit = 100;
};

void Fill(const std::string& text, std::optional<std::string>& place) {
  if (!text.empty()) place = text;
}

Result<persistence::SummaryQuery> QueryOf(const HistoryFlags& flags) {
  persistence::SummaryQuery query;
  Fill(flags.user, query.user);
  Fill(flags.class_name, query.class_name);
  Fill(flags.state, query.state);
  Fill(flags.host, query.host);
  query.limit = static_cast<size_t>(flags.limit);
  for (const auto& [name, text, place] :
       {std::tuple{"--from", &flags.from, &query.from}, {"--to", &flags.to, &query.to}}) {
    if (text->empty()) continue;
    auto time = ParseTime(*text);
    if (!time.ok()) return std::move(time).error().In(name);
    *place = *time;
  }
  if (flags.after.empty()) return query;
  auto cursor = ParseCursor(flags.after);
  if (!cursor.ok()) return std::move(cursor).error().In("--after");
  query.after = *cursor;
  return query;
}

template <typename Summary>
Status PrintPage(const Result<persistence::Page<Summary>>& page, bool json) {
  if (!page.ok()) return page.error();
  Json rows = Json::array();
  for (const auto& row : page->rows) rows.push_back(records::ToJson(row.row()));
  Json told{{"rows", std::move(rows)}};
  if (page->next) told["next"] = CursorText(*page->next);
  std::printf("%s\n", told.dump(json ? -1 : 2).c_str());
  return Done();
}

Status PrintDocument(persistence::WorkHistory& history, const HistoryFlags& flags) {
  SHEAF_ASSIGN(const auto type, persistence::FindWorkType(flags.type));
  auto work = history.Get(type, flags.id);
  if (!work.ok() && work.error().kind == Kind::kNotFound) {
    return Fail(Kind::kNotFound, "history holds no " + flags.type + " " + std::to_string(flags.id) +
                                     "; `sheaf db history` lists what it holds");
  }
  if (!work.ok()) return std::move(work).error();
  const Json document = Opened(Json::parse(persistence::EncodeWork(*work), nullptr, false));
  std::printf("%s\n", document.dump(flags.db.json ? -1 : 2).c_str());
  return Done();
}

Result<int> Show(DbSession& session, const HistoryFlags& flags,
                 const persistence::SummaryQuery& query) {
  auto& history = *session.backend().parts.history;
  if (flags.id != kNoId) {
    SHEAF_TRY(PrintDocument(history, flags));
  } else if (flags.what == "processes") {
    SHEAF_TRY(PrintPage(history.Processes(query), flags.db.json));
  } else if (flags.what == "reservations") {
    SHEAF_TRY(PrintPage(history.Reservations(query), flags.db.json));
  } else {
    SHEAF_TRY(PrintPage(history.Jobs(query), flags.db.json));
  }
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddDbHistory(Command& db) {
  auto flags = std::make_shared<HistoryFlags>();
  auto command = db.Sub("history", "What ran, as JSON, straight from the database");
  command.Number("ID", flags->id, kNoId + 1, INT64_MAX, "Everything that is known of this one")
      .Choice("--type", flags->type, {"job", "reservation", "service", "AP"},
              "Of ID: job, reservation, service or AP (job)")
      .Choice("--of", flags->what, {"jobs", "processes", "reservations"},
              "jobs, processes or reservations (jobs)")
      .Text("--user", flags->user, "Only of this user")
      .Text("--class", flags->class_name, "Only of this class")
      .Text("--state-is", flags->state, "Only in this state: Completed")
      .Text("--host", flags->host, "Only what was on this host")
      .Text("--from", flags->from, "Only since this time: 2026-11-23T06:10:00Z, ms since 1970, 2h")
      .Text("--to", flags->to, "Only before this time")
      .Number("--limit,-n", flags->limit, 1, static_cast<int64_t>(persistence::kPageMax),
              "Rows at most, the newest first (100)")
      .Text("--after", flags->after, "Go on after a page: what it called `next`");
  AddDbFlags(command, flags->db);
  command
      .Does([flags] {
        const auto query = QueryOf(*flags);
        if (!query.ok()) return ReportUsage(query.error());
        return LookAtDatabase(
            flags->db, [&](DbSession& session) { return Show(session, *flags, *query); });
      })
      .Examples(
          "  sheaf db history --state ./sheaf-state --user ann --from 24h\n"
          "  sheaf db history 12 --json | jq .specification.spec\n"
          "  sheaf db history -n 1000 --after 1795440498353:12:0 --json | jq -c '.rows[]'\n"
          "`sheaf history` asks a node; this reads its database, also while the node uses it.\n"
          "--json: on one line.");
}

}  // namespace sheaf::app
