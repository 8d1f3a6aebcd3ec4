// sheaf db create: roles, tables and rights, once.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/db_create.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/local_postgres.h"
#include "sheaf/apps/sheaf/running.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

struct CreateFlags {
  DbFlags db;
  bool lock_superuser = false;
};

void Print(const Created& created, bool json) {
  if (json) {
    const Json told{{"made", created.made},
                    {"notes", created.notes},
                    {"backend", created.backend},
                    {"password_file", created.password_file}};
    std::printf("%s\n", told.dump().c_str());
    return;
  }
  if (created.made.empty()) std::puts("nothing to do: the database is ready");
  for (const std::string& one : created.made) std::printf("made: %s\n", Printable(one).c_str());
  for (const std::string& one : created.notes) std::printf("note: %s\n", Printable(one).c_str());
  if (!created.password_file.empty()) {
    std::printf("passwords: %s\n", Printable(created.password_file).c_str());
  }
  std::printf("use: persistence.backend = \"%s\"\n", Printable(created.backend).c_str());
}

Result<int> Create(DbSession& session, const CreateFlags& flags) {
  const std::string& backend = session.settings().persistence.backend;
  if (flags.lock_superuser && !IsPostgres(backend)) {
    return Fail(Kind::kInvalid, "--lock-superuser is for postgresql://…; this is " + backend);
  }
  SHEAF_ASSIGN(const auto alone, LockRun(session.state_dir()));
  CreateOptions options{.backend = backend,
                        .parts = session.parts(persistence::Opening::kPrepare),
                        .lock_superuser = flags.lock_superuser,
                        .admin = {},
                        .admin_passfile = {}};
  if (backend == kLocalPostgres) AsLocalSuperuser(session.state_dir(), options);
  SHEAF_ASSIGN(const Created created, CreateDatabase(options));
  if (backend == kLocalPostgres) ForgetSuperuser(session.state_dir());
  Print(created, flags.db.json);
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddDbCreate(Command& db) {
  auto flags = std::make_shared<CreateFlags>();
  auto command = db.Sub("create", "Make the tables, and on PostgreSQL the roles sheaf and guest");
  command.Flag("--lock-superuser", flags->lock_superuser,
               "On PostgreSQL: its first superuser may not log in afterwards");
  AddDbFlags(command, flags->db);
  command
      .Does([flags] {
        return WithDbSettings(flags->db,
                              [&](DbSession& session) { return Create(session, *flags); });
      })
      .Examples(
          "  sheaf db create --state ./sheaf-state\n"
          "  sheaf db create --backend postgresql://postgres@db/sheaf --state ./sheaf-state\n"
          "  PGPASSFILE=./sheaf-state/database.pass psql -h db -U guest sheaf\n"
          "The role sheaf owns the tables, guest may read them. Their passwords are written to\n"
          "persistence.password_file (mode 0600) and nowhere else. A second time it does nothing.");
}

}  // namespace sheaf::app
