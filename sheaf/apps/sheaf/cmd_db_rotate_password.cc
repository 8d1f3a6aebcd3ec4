// sheaf db rotate-password: new passwords for the roles of a PostgreSQL database.

#include <cstdio>
#include <memory>
#include <vector>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/db_create.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/running.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

struct RotateFlags {
  DbFlags db;
  std::string role;
};

std::vector<std::string> RolesOf(const std::string& role) {
  if (!role.empty()) return {role};
  return {std::string(persistence::kOwnerRole), std::string(persistence::kGuestRole)};
}

// A password in the URL would stay the old one, and win over the file.
Status ExpectNoPassword(const std::string& url) {
  SHEAF_ASSIGN(const auto named, postgres::NamedIn(url));
  if (!named.password || named.user != persistence::kOwnerRole) return Done();
  return Fail(Kind::kInvalid,
              "persistence.backend itself holds the password of sheaf; leave it out of the URL "
              "and put it into the password file (*:*:*:sheaf:PASSWORD) first");
}

Result<int> Rotate(DbSession& session, const RotateFlags& flags) {
  const std::string& backend = session.settings().persistence.backend;
  if (!IsPostgres(backend)) {
    return Fail(Kind::kUnsupported, "'" + backend + "' has no passwords; postgresql:// has");
  }
  if (const int missing = ExpectState(session); missing != kExitOk) return missing;
  SHEAF_ASSIGN(const auto alone, LockRun(session.state_dir()));
  const auto parts = session.parts(persistence::Opening::kLook);
  const auto around = SurroundingsOf(parts.clock, parts.ending);
  SHEAF_ASSIGN(auto place, PostgresPlaceOf(backend, parts.state_dir, parts.password_file));
  SHEAF_TRY(ExpectNoPassword(place.url));
  const std::string file = Placed(parts.state_dir, parts.password_file);
  SHEAF_TRY(SettlePasswords(place, file, around));
  SHEAF_ASSIGN(place, PostgresPlaceOf(backend, parts.state_dir, parts.password_file));
  SHEAF_ASSIGN(auto connection, postgres::Connection::Open(ConnectOnce(place), around));
  Json told{{"rotated", Json::array()}, {"password_file", file}};
  for (const std::string& role : RolesOf(flags.role)) {
    SHEAF_TRY(RotatePassword(*connection, file, role));
    told["rotated"].push_back(role);
    if (!flags.db.json) std::printf("%s has a new password\n", role.c_str());
  }
  if (flags.db.json) {
    std::printf("%s\n", told.dump().c_str());
  } else {
    std::printf("passwords: %s\n", Printable(file).c_str());
  }
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddDbRotatePassword(Command& db) {
  auto flags = std::make_shared<RotateFlags>();
  auto command = db.Sub("rotate-password", "Give the roles of a PostgreSQL database new passwords");
  command.Choice("--role", flags->role, {"sheaf", "guest"}, "Only this one (both)");
  AddDbFlags(command, flags->db);
  command
      .Does([flags] {
        return WithDbSettings(flags->db,
                              [&](DbSession& session) { return Rotate(session, *flags); });
      })
      .Examples(
          "  sheaf db rotate-password --config node.toml\n"
          "  sheaf db rotate-password --role guest --backend postgresql://sheaf@db/sheaf\n"
          "The old password is refused from then on; sessions that are open go on, and a node\n"
          "opens its next ones with the new password of the file.");
}

}  // namespace sheaf::app
