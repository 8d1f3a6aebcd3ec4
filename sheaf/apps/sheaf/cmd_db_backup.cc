// sheaf db backup, restore: everything a database holds, into a file and back.

#include <cstdio>
#include <filesystem>
#include <memory>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

struct Flags {
  DbFlags db;
  std::string file;
  bool force = false;
};

int Show(const Flags& flags, const persistence::BackupFacts& facts, const char* what) {
  if (flags.db.json) {
    const Json json = {{"file", flags.file},
                       {"schema", facts.schema},
                       {"tables", facts.tables},
                       {"rows", facts.rows},
                       {"bytes", facts.bytes},
                       {"written_ms", facts.written_ms}};
    std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return kExitOk;
  }
  std::printf("%s %s: %s rows of %s tables, %s, schema version %s\n", what,
              Printable(flags.file).c_str(), Grouped(facts.rows).c_str(),
              Grouped(facts.tables).c_str(), core::ToText(Bytes{facts.bytes}).c_str(),
              std::to_string(facts.schema).c_str());
  return kExitOk;
}

// A pipe would be waited for, a device or a directory be replaced.
Status ExpectPlain(const std::string& file) {
  std::error_code unknown;
  const auto status = std::filesystem::status(file, unknown);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) return Done();
  return Fail(Kind::kInvalid, Printable(file) + " is no plain file");
}

}  // namespace

void AddDbBackup(Command& db) {
  auto flags = std::make_shared<Flags>();
  flags->db.older = persistence::OlderSchema::kLeft;
  auto command = db.Sub("backup", "Write everything the database holds into a file");
  command.Text("FILE", flags->file, "Appears whole or not at all; replaces a backup of this name")
      .Required()
      .NotEmpty("a file");
  AddDbFlags(command, flags->db);
  command
      .Does([flags] {
        if (auto plain = ExpectPlain(flags->file); !plain.ok()) return ReportUsage(plain.error());
        return WithDatabase(flags->db, [&](DbSession& session) -> Result<int> {
          SHEAF_ASSIGN(auto* administration, session.administration());
          SHEAF_ASSIGN(const auto facts, administration->Backup(flags->file, session.report()));
          return Show(*flags, facts, "wrote");
        });
      })
      .Examples(
          "  sheaf db backup --state ./sheaf-state /backups/sheaf.backup\n"
          "  sheaf db backup --backend postgresql:///sheaf --json sheaf.backup | jq .rows\n"
          "Nodes may go on writing: the file holds one instant.");
}

void AddDbRestore(Command& db) {
  auto flags = std::make_shared<Flags>();
  auto command = db.Sub("restore", "Replace everything in the database by what a backup holds");
  command.Text("FILE", flags->file, "Of `sheaf db backup`, of this database or another")
      .Required()
      .NotEmpty("a file");
  AddDbFlags(command, flags->db);
  command
      .Flag("--force", flags->force,
            "Also when a scope is held: its holder may write no more, dead or alive")
      .Does([flags] {
        if (auto plain = ExpectPlain(flags->file); !plain.ok()) return ReportUsage(plain.error());
        return WithDatabase(flags->db, [&](DbSession& session) -> Result<int> {
          using persistence::Holders;
          SHEAF_ASSIGN(auto* administration, session.administration());
          SHEAF_ASSIGN(const auto facts,
                       administration->Restore(
                           flags->file, flags->force ? Holders::kAreFenced : Holders::kMustBeNone,
                           session.report()));
          return Show(*flags, facts, "restored");
        });
      })
      .Examples(
          "  sheaf db restore --state ./sheaf-state /backups/sheaf.backup\n"
          "  sheaf db restore --backend postgresql:///sheaf sheaf.backup   # from SQLite, too\n"
          "Exit code 5 when a node holds the database: stop it first. A damaged file or one of a\n"
          "newer schema changes nothing.");
}

}  // namespace sheaf::app
