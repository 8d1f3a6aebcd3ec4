#include "sheaf/apps/sheaf/db_create.h"

#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include "sheaf/apps/sheaf/alive.h"
#include "sheaf/apps/sheaf/private_file.h"
#include "sheaf/apps/sheaf/state_directory.h"

namespace sheaf::app {
namespace {

using persistence::kGuestRole;
using persistence::kOwnerRole;
using postgres::Connection;

// A session as one of the roles, by the passwords of the file.
Result<std::unique_ptr<Connection>> LogInAs(std::string_view role, const PostgresPlace& place,
                                            const std::string& file,
                                            const postgres::Surroundings& around) {
  SHEAF_ASSIGN(const auto passwords, Passwords::Read(file));
  auto options = ConnectOnce(place);
  options.user = role;
  options.password = passwords.Find(role).value_or("");
  return Connection::Open(std::move(options), around);
}

Status Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return Fail(Kind::kDependency, "cannot rename " + from + " to " + to);
  }
  return files::OpenLocalFiles()->SyncDirectory(files::DirectoryOf(to));
}

// One PostgreSQL database on its way.
class PostgresCreation final {
 public:
  PostgresCreation(const CreateOptions& options, PostgresPlace place)
      : options_(options),
        place_(std::move(place)),
        file_(Placed(options.parts.state_dir, options.parts.password_file)),
        around_(SurroundingsOf(options.parts.clock, options.parts.ending)) {}

  Result<Created> Run() {
    SHEAF_TRY(SettlePasswords(place_, file_, around_));
    SHEAF_ASSIGN(created_.backend, BackendUrl());
    created_.password_file = file_;
    if (IsComplete()) return created_;
    auto connect = ConnectOnce(place_);
    if (!options_.admin.empty()) {
      connect.user = options_.admin;
      connect.passfile = options_.admin_passfile;
    }
    SHEAF_ASSIGN(auto admin, Connection::Open(connect, around_));
    SHEAF_ASSIGN(const auto seen, persistence::LookAtRoles(*admin));
    if (!Suffices(seen)) SHEAF_TRY(Make(*admin, connect, seen));
    if (Shuts() && seen.superuser) {
      if (!options_.admin.empty()) SHEAF_TRY(persistence::CloseDatabase(*admin));
      SHEAF_TRY(persistence::LockSuperuser(*admin));
      created_.made.emplace_back("the first superuser may not log in any more");
    }
    Explain();
    return std::move(created_);
  }

 private:
  bool Shuts() const { return options_.lock_superuser || !options_.admin.empty(); }
  bool Suffices(const persistence::RolesSeen& seen) const {
    return seen.complete() && persistence::ExpectVersion(seen.schema).ok();
  }
  // Asked as the owner, who may look when a superuser may not log in any more.
  bool IsComplete() const {
    const auto owner = LogInAs(kOwnerRole, place_, file_, around_);
    if (!owner.ok()) return false;
    const auto seen = persistence::LookAtRoles(**owner);
    return seen.ok() && Suffices(*seen) && !(Shuts() && seen->superuser) && HasPasswords();
  }
  bool HasPasswords() const {
    const auto passwords = Passwords::Read(file_);
    return passwords.ok() && passwords->Find(kOwnerRole) && passwords->Find(kGuestRole);
  }

  Status Make(Connection& admin, const postgres::ConnectOptions& connect,
              const persistence::RolesSeen& seen) {
    SHEAF_TRY(MakeRoles(admin));
    // As the owner, whatever the server's rules for logging in are.
    persistence::PostgresOptions as_owner;
    as_owner.connect = connect;
    as_owner.connect.role = kOwnerRole;
    SHEAF_TRY(persistence::OpenPostgres(as_owner, around_));
    if (seen.schema == 0) created_.made.emplace_back("the tables");
    SHEAF_ASSIGN(auto owner, Connection::Open(as_owner.connect, around_));
    SHEAF_TRY(persistence::GrantToGuest(*owner));
    if (!seen.granted) created_.made.emplace_back("guest's right to read");
    return Done();
  }

  // Passwords are on the disk before the server has them: whoever stops between finds them.
  Status MakeRoles(Connection& admin) {
    SHEAF_ASSIGN(auto passwords, Passwords::Read(file_));
    std::map<std::string, std::string> fresh;
    for (const std::string_view role : {kOwnerRole, kGuestRole}) {
      fresh[std::string(role)] = NewPassword();
    }
    auto next = passwords;
    for (const auto& [role, password] : fresh) next.Set(role, password);
    SHEAF_TRY(MakePrivate(*files::OpenLocalFiles(), files::DirectoryOf(file_)));
    SHEAF_TRY(next.Write(NextOf(file_)));
    auto made = persistence::MakeRoles(admin, fresh);
    if (!made.ok()) {
      if (made.error().effect == Effect::kNone) ::unlink(NextOf(file_).c_str());
      return std::move(made).error();
    }
    // Of a role that was there the password is not ours to change.
    for (const std::string& role : *made) {
      passwords.Set(role, fresh[role]);
      created_.made.push_back("the role " + role);
    }
    if (!made->empty()) SHEAF_TRY(passwords.Write(file_));
    ::unlink(NextOf(file_).c_str());
    return Done();
  }

  void Explain() {
    const auto passwords = Passwords::Read(file_);
    for (const std::string_view role : {kOwnerRole, kGuestRole}) {
      if (passwords.ok() && passwords->Find(role)) continue;
      created_.notes.push_back("the role " + std::string(role) + " was there and its password is " +
                               "not in " + file_ + ": put it there (*:*:*:" + std::string(role) +
                               ":PASSWORD), or give it a new one with `sheaf db rotate-password`");
    }
    const auto owner = LogInAs(kOwnerRole, place_, file_, around_);
    if (!owner.ok() && created_.notes.empty()) {
      created_.notes.push_back("sheaf cannot log in yet, see the server's pg_hba.conf: " +
                               owner.error().message);
    }
  }

  Result<std::string> BackendUrl() const {
    if (options_.backend == kLocalPostgres) return options_.backend;
    return postgres::UrlFor(place_.url, std::string(kOwnerRole));
  }

  const CreateOptions& options_;  // Borrowed from the caller.
  const PostgresPlace place_;
  const std::string file_;
  const postgres::Surroundings around_;
  Created created_;
};

}  // namespace

Status SettlePasswords(const PostgresPlace& place, const std::string& file,
                       const postgres::Surroundings& around) {
  const std::string next = NextOf(file);
  if (!IsThere(next)) return Done();
  SHEAF_ASSIGN(const auto noted, Passwords::Read(next));
  SHEAF_ASSIGN(auto passwords, Passwords::Read(file));
  for (const std::string_view role : {kOwnerRole, kGuestRole}) {
    const auto password = noted.Find(role);
    if (!password || password == passwords.Find(role)) continue;
    const auto session = LogInAs(role, place, next, around);
    if (!session.ok() && session.error().kind != Kind::kUnauthenticated) {
      return Fail(session.error().kind,
                  "a change of passwords was cut off (" + next +
                      "), and whether it was done cannot be asked: " + session.error().message);
    }
    if (session.ok()) passwords.Set(role, *password);
  }
  SHEAF_TRY(passwords.Write(file));
  ::unlink(next.c_str());
  return Done();
}

Status RotatePassword(Connection& connection, const std::string& file, const std::string& role) {
  SHEAF_ASSIGN(auto passwords, Passwords::Read(file));
  const std::string password = NewPassword();
  passwords.Set(role, password);
  SHEAF_TRY(passwords.Write(NextOf(file)));
  if (Status set = persistence::SetPassword(connection, role, password); !set.ok()) {
    if (set.error().effect == Effect::kNone) ::unlink(NextOf(file).c_str());
    return set;
  }
  return Rename(NextOf(file), file);
}

Result<Created> CreateDatabase(const CreateOptions& options) {
  if (IsPostgres(options.backend)) {
    SHEAF_ASSIGN(auto place, PostgresPlaceOf(options.backend, options.parts.state_dir,
                                             options.parts.password_file));
    return PostgresCreation(options, std::move(place)).Run();
  }
  Created created;
  created.backend = options.backend;
  const Alive before = LookWhetherAlive(options.backend, options.parts);
  if (before.life == Life::kAlive) {
    if (options.backend == "none" || options.backend == "memory:") {
      created.notes.push_back(before.message + "; there is nothing to make");
    }
    return created;
  }
  SHEAF_TRY(MakePrivate(*files::OpenLocalFiles(), options.parts.state_dir));
  SHEAF_TRY(OpenBackend(options.backend, options.parts));
  created.made.push_back("the tables in " + options.backend);
  return created;
}

}  // namespace sheaf::app
