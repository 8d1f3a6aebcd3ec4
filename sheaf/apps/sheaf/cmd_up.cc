// sheaf up: a node with its database, in the background.

#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/db_create.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/local_postgres.h"
#include "sheaf/apps/sheaf/running.h"
#include "sheaf/apps/sheaf/text.h"
#include "sheaf/apps/sheaf/up.h"

namespace sheaf::app {
namespace {

struct UpFlags {
  DbFlags db;
  bool cold = false;
};

// What `sheaf serve` is told beside its state directory.
Result<std::vector<std::string>> ServeFlagsOf(const UpFlags& flags) {
  std::vector<std::string> words;
  if (flags.db.config.file == "-") {
    return Fail(Kind::kInvalid, "--config - cannot be read twice; name a file");
  }
  if (!flags.db.config.file.empty()) {
    words.insert(words.end(),
                 {"--config", std::filesystem::absolute(flags.db.config.file).string()});
  }
  for (const std::string& set : flags.db.config.sets) words.insert(words.end(), {"--set", set});
  if (flags.cold) words.emplace_back("--cold");
  return words;
}

// The database that is the node's own, and ready. True: something was done.
Result<bool> UpDatabase(DbSession& session) {
  const std::string& backend = session.settings().persistence.backend;
  const auto parts = session.parts(persistence::Opening::kPrepare);
  if (IsPostgres(backend) && !IsLocal(session)) return false;  // Somebody else's to run.
  bool started = false;
  CreateOptions options{.backend = backend, .parts = parts, .admin = {}, .admin_passfile = {}};
  if (IsLocal(session)) {
    LocalPostgres server(session.state_dir(), session.settings(),
                         SurroundingsOf(parts.clock, parts.ending));
    SHEAF_ASSIGN(started, server.Up(session.report()));
    AsLocalSuperuser(session.state_dir(), options);
  }
  SHEAF_ASSIGN(const Created created, CreateDatabase(options));
  if (IsLocal(session)) ForgetSuperuser(session.state_dir());
  return started || !created.made.empty();
}

void Print(const DbSession& session, const RunningNode& node, bool new_node, bool new_database,
           bool json) {
  const std::string log = LogOfNode(session.state_dir());
  if (json) {
    Json told = node.ready;
    told["started"] = {{"node", new_node}, {"database", new_database}};
    told["state"] = session.state_dir();
    told["backend"] = Shown(session.settings().persistence.backend);
    told["log"] = log;
    std::printf("%s\n", told.dump().c_str());
    return;
  }
  if (IsLocal(session)) {
    std::printf("database: %s\n", new_database ? "started" : "was up already");
  }
  std::printf("node: %s, process %d\n", new_node ? "started" : "was up already",
              static_cast<int>(node.process.pid));
  std::printf("flight: %s\n", Printable(node.ready.value("flight", "")).c_str());
  if (node.ready.contains("http")) {
    std::printf("http: %s\n", Printable(node.ready.value("http", "")).c_str());
  }
  std::printf("log: %s\n", Printable(log).c_str());
}

Result<int> Up(DbSession& session, const UpFlags& flags) {
  SHEAF_ASSIGN(const auto words, ServeFlagsOf(flags));
  SHEAF_ASSIGN(const auto alone, LockRun(session.state_dir()));
  SHEAF_ASSIGN(const bool new_database, UpDatabase(session));
  auto node = FindNode(session.state_dir());
  const bool new_node = !node.has_value();
  if (new_node) {
    SHEAF_ASSIGN(node, StartServing(session.state_dir(), words, session.settings().stop.drain_s,
                                    session.report()));
  }
  Print(session, *node, new_node, new_database, flags.db.json);
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddUpFlags(Command& command, DbFlags& flags) {
  command.Text("--config", flags.config.file, "TOML file with settings of the node")
      .Text("--state", flags.config.state, "State directory, the same as --set state.dir=…")
      .NotEmpty("a directory")
      .Texts("--set", flags.config.sets, "key=value of the node, repeatable")
      .Flag("--json", flags.json, "One JSON object");
}

void AddUp(Cli& cli) {
  auto flags = std::make_shared<UpFlags>();
  auto command = cli.Add("up", "Start a node with its database in the background, once");
  AddUpFlags(command, flags->db);
  command.Flag("--cold", flags->cold, "Give up what the last process left unfinished")
      .Does([flags] {
        return WithDbSettings(flags->db, [&](DbSession& session) { return Up(session, *flags); });
      })
      .Examples(
          "  sheaf up --config node.toml\n"
          "  sheaf up --state ./sheaf-state --set files.roots=/data\n"
          "  sheaf up --set persistence.backend=postgresql:local --json | jq -r .flight\n"
          "Makes the database when it is not there (postgresql:local: with initdb and a server of\n"
          "its own), starts what is not up, waits until the node is ready. What is up stays as it\n"
          "is, with the settings it was started with. `sheaf down` ends both.");
}

}  // namespace sheaf::app
