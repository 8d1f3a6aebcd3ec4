// sheaf history: what has run on a node, also before its last start.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/history_words.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/apps/sheaf/table_rows.h"
#include "sheaf/apps/sheaf/terminal.h"

namespace sheaf::app {
namespace {

constexpr int64_t kNoJob = INT64_MIN;  // What was loaded may have a negative number.

struct HistoryFlags {
  ConnectFlags connect;
  std::string user, class_name;
  int64_t job = kNoJob, limit = 20;
  bool json = false;
};

void PrintJobs(const std::vector<Json>& jobs) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& job : jobs) {
    const auto took = std::chrono::milliseconds(job.value("duration", int64_t{0}));
    rows.push_back({CellOf(job, "ducc_id"), TimeOf(job, "submission_time"), CellOf(job, "user"),
                    CellOf(job, "class"), CellOf(job, "reason"), Seconds(took),
                    CellOf(job, "done_wi") + "/" + CellOf(job, "total_wi"),
                    CellOf(job, "description")});
  }
  const std::vector<TableColumn> columns{
      {"job", Align::kRight},  {"submitted (UTC)"},      {"user"}, {"class"}, {"reason"},
      {"time", Align::kRight}, {"items", Align::kRight}, {"work"}};
  std::fputs(FormatTable(columns, rows, {.width = TerminalWidth()}).c_str(), stdout);
  std::printf("(%zu job%s, the newest first)\n", rows.size(), rows.size() == 1 ? "" : "s");
}

// The bytes of a document come in hexadecimal.
Json DocumentOf(const Json& row) {
  const std::string hex = CellOf(row, "work");
  std::string text;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    text += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  }
  return Opened(Json::parse(text, nullptr, false));
}

Status Show(Session& session, const HistoryFlags& flags) {
  if (flags.job != kNoJob) {
    SHEAF_ASSIGN(const auto found,
                 ReadTable(session, {{"table", "job_history"}, {"id", flags.job}}));
    for (const Json& row : found) {
      std::printf("%s\n", DocumentOf(row).dump(flags.json ? -1 : 2).c_str());
    }
    return Done();
  }
  Json spec{{"table", "jobs"}, {"limit", flags.limit}};
  if (!flags.user.empty()) spec["user"] = flags.user;
  if (!flags.class_name.empty()) spec["class"] = flags.class_name;
  SHEAF_ASSIGN(const auto jobs, ReadTable(session, spec));
  if (!flags.json) {
    PrintJobs(jobs);
    return Done();
  }
  for (const Json& job : jobs) std::printf("%s\n", job.dump().c_str());
  return Done();
}

}  // namespace

void AddHistory(Cli& cli) {
  auto flags = std::make_shared<HistoryFlags>();
  auto command = cli.Add("history", "List the jobs that have run, or show one");
  command.Number("JOB", flags->job, kNoJob + 1, INT64_MAX, "Everything that is known of this one")
      .Number("--limit,-n", flags->limit, 1, 1'000'000, "Jobs at most, the newest first (20)")
      .Text("--user", flags->user, "Only of this user")
      .Text("--class", flags->class_name, "Only of this class: priority-5")
      .Flag("--json", flags->json, "One JSON object a line");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command
      .Does([flags] {
        return WithSession(flags->connect, ConnectFlags::Otherwise::kDefaultServer, {},
                           [&](Session& session) { return Show(session, *flags); });
      })
      .Examples(
          "  sheaf history\n"
          "  sheaf history 12 | jq .specification.spec\n"
          "  sheaf history --user ann -n 1000 --json | jq -s 'map(.duration) | add'\n"
          "  sheaf query --server grpc://127.0.0.1:8815 -i j=sheaf/jobs \\\n"
          "      \"select reason, count(*) from j group by all\"");
}

}  // namespace sheaf::app
