#include "sheaf/apps/sheaf/alive.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "sheaf/apps/sheaf/private_file.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;

// A driver's error as what it means for the whole.
Life LifeOf(Kind kind) {
  switch (kind) {
    case Kind::kNotReady: return Life::kEmpty;
    case Kind::kDependency:
    case Kind::kDeadline:
    case Kind::kBackpressure: return Life::kAway;
    case Kind::kUnauthenticated:
    case Kind::kForbidden: return Life::kForbidden;
    default: return Life::kUnknown;
  }
}

void Note(Alive& alive, const Error& error) {
  alive.life = LifeOf(error.kind);
  alive.message = error.message;
}

// Of SQLite's file or the journal's directory; false when there is nothing to open.
bool LookAtPath(Alive& alive, const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  if (::access(path.c_str(), F_OK) != 0) {
    const bool place = ::access(parent.c_str(), F_OK) == 0;
    alive.life = errno == EACCES ? Life::kForbidden : place ? Life::kEmpty : Life::kAway;
    alive.message = place ? "not initialised: there is no " + path + "; `sheaf db create` makes it"
                          : "there is no directory " + parent;
    return false;
  }
  if (::access(path.c_str(), R_OK | W_OK) == 0) return true;
  alive.life = Life::kForbidden;
  alive.message = path + ": " + std::generic_category().message(errno);
  return false;
}

void LookAtSqlite(Alive& alive, const std::string& path) {
  if (!LookAtPath(alive, path)) return;
  const auto opened =
      persistence::OpenSqlite({.path = path, .opening = persistence::Opening::kLook});
  if (!opened.ok()) {
    Note(alive, opened.error());
    if (alive.life == Life::kEmpty) alive.schema = 0;
    return;
  }
  alive.life = Life::kAlive;
  alive.schema = persistence::kSchemaVersion;
  alive.message = "alive: " + path;
}

void LookAtJournal(Alive& alive, const std::string& path) {
  if (!LookAtPath(alive, path)) return;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (entry.path().extension() != ".begun") continue;
    alive.life = Life::kAlive;
    alive.message = "alive: " + path;
    return;
  }
  alive.life = error ? Life::kUnknown : Life::kEmpty;
  alive.message =
      error ? path + ": " + error.message() : "not initialised: there is no journal in " + path;
}

std::string MissingRoles(const persistence::RolesSeen& roles) {
  if (!roles.owner && !roles.guest) return "the roles sheaf and guest are missing";
  if (!roles.owner) return "the role sheaf is missing";
  if (!roles.guest) return "the role guest is missing";
  return "guest may do less or more than it should";
}

void LookAtPostgres(Alive& alive, const std::string& text, const BackendParts& parts) {
  const auto place = PostgresPlaceOf(text, parts.state_dir, parts.password_file);
  if (!place.ok()) return Note(alive, place.error());
  const auto connection =
      postgres::Connection::Open(ConnectOnce(*place), SurroundingsOf(parts.clock, parts.ending));
  if (!connection.ok()) {
    Note(alive, connection.error());
    if (connection.error().kind == Kind::kInvalid) alive.life = Life::kUnknown;
    return;
  }
  alive.backend = (*connection)->where();
  const auto roles = persistence::LookAtRoles(**connection);
  if (!roles.ok()) return Note(alive, roles.error());
  alive.roles = *roles;
  alive.schema = roles->schema;
  if (auto version = persistence::ExpectVersion(roles->schema); !version.ok()) {
    Note(alive, std::move(version).error().In(alive.backend));
    return;
  }
  const bool complete = roles->complete();
  alive.life = complete ? Life::kAlive : Life::kEmpty;
  alive.message = complete ? "alive: " + alive.backend
                           : alive.backend + ": not initialised: " + MissingRoles(*roles) +
                                 "; `sheaf db create` makes them";
}

}  // namespace

Alive LookWhetherAlive(const std::string& text, const BackendParts& parts) {
  Alive alive{
      .life = Life::kUnknown, .backend = Shown(text), .message = {}, .schema = {}, .roles = {}};
  constexpr std::string_view kSqlite = "sqlite:", kFile = "file:";
  if (text.starts_with(kSqlite)) {
    LookAtSqlite(alive, Placed(parts.state_dir, text.substr(kSqlite.size())));
  } else if (text.starts_with(kFile)) {
    LookAtJournal(alive, Placed(parts.state_dir, text.substr(kFile.size())));
  } else if (IsPostgres(text)) {
    LookAtPostgres(alive, text, parts);
  } else {
    alive.life = Life::kAlive;
    alive.message = text == "none" ? "nothing is kept: persistence.backend is none"
                                   : "kept in the node's memory until it ends";
  }
  return alive;
}

Json ToJson(const Alive& alive) {
  constexpr std::array<const char*, 5> kWords = {"alive", "not initialised", "cannot connect",
                                                 "not authorised", "unknown"};
  Json json{{"state", kWords[static_cast<size_t>(alive.life)]},
            {"exit", static_cast<int>(alive.life)},
            {"backend", alive.backend},
            {"message", alive.message}};
  if (alive.schema) {
    json["schema"] = {{"present", *alive.schema}, {"wanted", persistence::kSchemaVersion}};
  }
  if (alive.roles) {
    json["roles"] = {{"sheaf", alive.roles->owner},
                     {"guest", alive.roles->guest},
                     {"granted", alive.roles->granted}};
    json["superuser_login"] = alive.roles->superuser;
  }
  return json;
}

}  // namespace sheaf::app
