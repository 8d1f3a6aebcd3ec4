// sheaf db purge: old work goes, into an archive when one is named.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/archive.h"
#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

using persistence::Purged;
using persistence::Retention;

struct Flags {
  DbFlags db;
  std::vector<std::string> tables;
  std::string older_than, max_bytes, archive;
  int64_t max_rows = -1;
  bool dry_run = false;
};

Result<std::vector<Retention>> Parse(const Flags& flags, const Clock& clock) {
  Retention rule;
  if (!flags.older_than.empty()) {
    SHEAF_ASSIGN(const Duration age, ParseDuration(flags.older_than));
    rule.before = clock.Wall().micros / 1000 -
                  std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
  }
  if (flags.max_rows >= 0) rule.rows_max = flags.max_rows;
  if (!flags.max_bytes.empty()) {
    SHEAF_ASSIGN(const Bytes bytes, core::ParseBytes(flags.max_bytes));
    rule.bytes_max = bytes.count;
  }
  std::vector<Retention> rules;
  for (const std::string& table : flags.tables) {
    rule.table = table;
    rules.push_back(rule);
  }
  return rules;
}

void Print(const std::vector<Purged>& purged, const Flags& flags) {
  if (flags.db.json) {
    Json tables = Json::array();
    for (const Purged& one : purged) {
      tables.push_back({{"table", one.table},
                        {"rows", one.rows},
                        {"bytes", one.bytes},
                        {"damaged", one.damaged}});
    }
    const Json json = {{"dry_run", flags.dry_run}, {"tables", std::move(tables)}};
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  if (purged.empty()) std::puts("nothing is to go");
  for (const Purged& one : purged) {
    std::printf("%s %s: %s rows, %s\n", flags.dry_run ? "would purge" : "purged",
                one.table.c_str(), Grouped(one.rows).c_str(),
                core::ToText(Bytes{one.bytes}).c_str());
    if (one.damaged == 0) continue;
    std::printf("left in %s: %s that cannot be read, see `sheaf db verify`\n", one.table.c_str(),
                Grouped(one.damaged).c_str());
  }
}

Result<int> Purge(DbSession& session, const Flags& flags) {
  SHEAF_ASSIGN(auto* administration, session.administration());
  SHEAF_ASSIGN(const auto rules, Parse(flags, session.clock()));
  if (flags.dry_run) {
    SHEAF_ASSIGN(const auto purged, administration->WouldPurge(rules));
    Print(purged, flags);
    return static_cast<int>(kExitOk);
  }
  const auto files = files::OpenLocalFiles();
  persistence::Archive archive;
  if (!flags.archive.empty()) archive = ParquetArchive(*files, session.clock(), flags.archive);
  int64_t gone = 0;
  const auto purged = administration->Purge(rules, archive, [&](const persistence::Doing& doing) {
    gone = doing.done;
    return session.report()(doing);
  });
  if (!purged.ok()) {
    if (gone > 0) {
      std::fprintf(stderr, "sheaf: %s are gone already; the same command goes on\n",
                   Grouped(gone).c_str());
    }
    return purged.error();
  }
  Print(*purged, flags);
  return static_cast<int>(kExitOk);
}

Status CheckFlags(const Flags& flags) {
  const time::SystemClock clock;
  SHEAF_TRY(Parse(flags, clock));
  if (flags.older_than.empty() && flags.max_bytes.empty() && flags.max_rows < 0) {
    return Fail(Kind::kInvalid,
                "say what may go: --older-than, --max-rows or --max-bytes, or several");
  }
  return Done();
}

}  // namespace

void AddDbPurge(Command& db) {
  auto flags = std::make_shared<Flags>();
  auto command = db.Sub("purge", "Remove old work, while nodes write");
  command
      .Texts("--table", flags->tables, "jobs, reservations or svc_history; repeatable")
      .Required()
      .Text("--older-than", flags->older_than, "Work that ended longer ago: 30d, 12h")
      .Number("--max-rows", flags->max_rows, 0, INT64_MAX, "Documents that stay at most")
      .Text("--max-bytes", flags->max_bytes, "Their bytes that stay at most: 1GiB")
      .Text("--archive", flags->archive,
            "Directory that gets what goes as Parquet, before it goes")
      .NotEmpty("a directory")
      .Flag("--dry-run", flags->dry_run, "Only the numbers");
  AddDbFlags(command, flags->db);
  command
      .Does([flags] {
        if (auto checked = CheckFlags(*flags); !checked.ok()) return ReportUsage(checked.error());
        return WithDatabase(flags->db,
                            [&](DbSession& session) { return Purge(session, *flags); });
      })
      .Examples(
          "  sheaf db purge --table jobs --older-than 30d --dry-run\n"
          "  sheaf db purge --table jobs --table svc_history --older-than 30d --archive ./old\n"
          "  sheaf db purge --table jobs --max-rows 1000000 --max-bytes 4GiB\n"
          "  sheaf query -i 'jobs=old/jobs/*.parquet' 'select count(*) from jobs'\n"
          "A document goes with its summaries. Ctrl-C ends it between two transactions.");
}

}  // namespace sheaf::app
