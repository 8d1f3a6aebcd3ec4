// sheaf db migrate plan, apply, drift: the schema of the database and this program's.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

using persistence::MigrationPlan;

struct Flags {
  DbFlags db;
  bool force = false;
  bool statements = false;
};

void PrintJson(const MigrationPlan& plan) {
  Json steps = Json::array();
  for (const auto& step : plan.steps) {
    steps.push_back({{"from", step.from},
                     {"to", step.to},
                     {"about", step.about},
                     {"checksum", step.checksum},
                     {"statements", step.statements}});
  }
  const Json json = {{"present", plan.present},
                     {"wanted", plan.wanted},
                     {"steps", std::move(steps)},
                     {"drift", plan.drift},
                     {"backups", plan.backups}};
  std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

void PrintSteps(const MigrationPlan& plan, const Flags& flags) {
  for (const auto& step : plan.steps) {
    std::printf("%s -> %s  %s  (%s statements, checksum %s)\n", std::to_string(step.from).c_str(),
                std::to_string(step.to).c_str(), step.about.c_str(),
                std::to_string(step.statements.size()).c_str(), step.checksum.c_str());
    if (!flags.statements) continue;
    for (const std::string& one : step.statements) std::printf("  %s;\n", one.c_str());
  }
}

void PrintDrift(const MigrationPlan& plan) {
  for (const std::string& line : plan.drift) std::printf("%s\n", Printable(line).c_str());
}

int ShowPlan(const MigrationPlan& plan, const Flags& flags) {
  if (flags.db.json) {
    PrintJson(plan);
    return kExitOk;
  }
  std::printf("schema version %s, this program's is %s\n", std::to_string(plan.present).c_str(),
              std::to_string(plan.wanted).c_str());
  PrintSteps(plan, flags);
  if (plan.steps.empty()) std::puts("nothing to do");
  PrintDrift(plan);
  return kExitOk;
}

int ShowApplied(const MigrationPlan& plan, const Flags& flags) {
  if (flags.db.json) {
    PrintJson(plan);
    return kExitOk;
  }
  for (const auto& file : plan.backups) std::printf("backup %s\n", Printable(file).c_str());
  PrintSteps(plan, flags);
  if (plan.steps.empty()) {
    std::printf("the schema has version %s already\n", std::to_string(plan.present).c_str());
  }
  return kExitOk;
}

int ShowDrift(const MigrationPlan& plan, const Flags& flags) {
  if (flags.db.json) {
    PrintJson(plan);
  } else {
    PrintDrift(plan);
    if (plan.present == 0) {
      std::puts("the database is empty");
    } else if (plan.drift.empty()) {
      std::printf("the database is as version %s says\n", std::to_string(plan.present).c_str());
    }
  }
  return plan.drift.empty() ? static_cast<int>(kExitOk) : static_cast<int>(kExitRejected);
}

using Act = std::function<Result<MigrationPlan>(persistence::Administration&, DbSession&)>;

void AddOne(Command& command, const std::shared_ptr<Flags>& flags, const Act& act,
            int (*show)(const MigrationPlan&, const Flags&)) {
  flags->db.older = persistence::OlderSchema::kLeft;
  AddDbFlags(command, flags->db);
  command.Does([flags, act, show] {
    return WithDatabase(flags->db, [&](DbSession& session) -> Result<int> {
      SHEAF_ASSIGN(auto* administration, session.administration());
      SHEAF_ASSIGN(const auto plan, act(*administration, session));
      return show(plan, *flags);
    });
  });
}

Result<MigrationPlan> Ask(persistence::Administration& administration, DbSession&) {
  return administration.Plan();
}

}  // namespace

void AddDbMigrate(Command& db) {
  auto migrate = db.Sub("migrate", "Bring the database's schema up to this program's");
  auto flags = std::make_shared<Flags>();
  auto plan = migrate.Sub("plan", "Show what `apply` would do; changes nothing");
  plan.Flag("--sql", flags->statements, "Also the statements");
  AddOne(plan, flags, Ask, ShowPlan);
  plan.Examples(
      "  sheaf db migrate plan --state ./sheaf-state\n"
      "  sheaf db migrate plan --backend postgresql:///sheaf --sql");

  flags = std::make_shared<Flags>();
  auto apply = migrate.Sub("apply", "Do it: a backup before each step, one transaction a step");
  apply.Flag("--force", flags->force,
             "Also when a scope is held: its holder may write no more, dead or alive");
  AddOne(
      apply, flags,
      [flags = flags.get()](persistence::Administration& administration, DbSession& session) {
        using persistence::Holders;
        return administration.Migrate(flags->force ? Holders::kAreFenced : Holders::kMustBeNone,
                                      session.report());
      },
      ShowApplied);
  apply.Examples(
      "  sheaf db migrate apply --backend postgresql:///sheaf\n"
      "Exit code 5 when a node holds the database: stop it first. --force when it crashed. The\n"
      "backups lie beside an SQLite database, and in the state directory for PostgreSQL.");

  flags = std::make_shared<Flags>();
  auto drift = migrate.Sub("drift", "Compare the database with what its version says it has");
  AddOne(drift, flags, Ask, ShowDrift);
  drift.Examples(
      "  sheaf db migrate drift --backend postgresql:///sheaf || echo somebody changed the schema");
}

}  // namespace sheaf::app
