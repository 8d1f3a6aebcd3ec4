#include "sheaf/apps/sheaf/backend.h"

#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "sheaf/apps/sheaf/password_file.h"
#include "sheaf/apps/sheaf/private_file.h"

namespace sheaf::app {
namespace {

constexpr std::string_view kSqlite = "sqlite:", kFile = "file:", kPostgres = "postgresql:";
const std::string kRotate = "`sheaf db rotate-password`";
constexpr Duration kSilent = std::chrono::seconds(10);

// The chronicle tries again by itself: a session that is lost waits for less than a stop may take.
Result<persistence::SqlPersistence> OpenPostgres(const std::string& text, const BackendParts& parts,
                                                 const std::shared_ptr<const Event>& ending) {
  SHEAF_ASSIGN(const auto place, PostgresPlaceOf(text, parts.state_dir, parts.password_file));
  persistence::PostgresOptions options;
  options.connect = ConnectOnce(place);
  options.connect.statement_timeout = parts.statement_timeout;
  options.connect.retry_deadline = parts.tries;
  // A node's writes go to the spool when the database is silent for so long, or refuses once: until
  // they are there they are in memory only.
  if (parts.spool.has_value()) {
    options.connect.statement_timeout = kSilent;
    options.connect.revive_deadline = Duration(0);
  }
  options.older = parts.older.value_or(options.older);
  options.backup_directory = parts.state_dir;
  options.background = &parts.background;
  options.opening = parts.opening;
  auto opened = persistence::OpenPostgres(std::move(options), SurroundingsOf(parts.clock, ending));
  if (opened.ok() || opened.error().kind != Kind::kUnauthenticated) return opened;
  Error error = std::move(opened).error();
  const std::string file = Placed(parts.state_dir, parts.password_file);
  if (place.passfile.empty()) error.message += " (there is no " + file + ")";
  if (IsThere(NextOf(file))) error.message += "; a change was interrupted: run " + kRotate;
  return error;
}

Result<persistence::SqlPersistence> OpenSqlite(const std::string& name, const BackendParts& parts) {
  persistence::SqliteOptions options;
  options.path = Placed(parts.state_dir, name);
  options.background = &parts.background;
  options.clock = &parts.clock;
  options.opening = parts.opening;
  options.older = parts.older.value_or(options.older);
  if (parts.opening == persistence::Opening::kLook && !IsThere(options.path)) {
    return Fail(Kind::kNotReady, "there is no database " + options.path +
                                     "; `sheaf db create` or a node's first start makes it");
  }
  return persistence::OpenSqlite(std::move(options));
}

// What only its process can be asked for.
Status ExpectToLook(const std::string& text) {
  return Fail(Kind::kUnsupported, "'" + text +
                                      "' cannot be read beside its node; ask the node: `sheaf "
                                      "history`, `sheaf nodes`");
}

// What `text` names.
Result<persistence::Persistence> OpenParts(const std::string& text, const BackendParts& parts,
                                           const std::shared_ptr<const Event>& ending) {
  if (text.starts_with(kSqlite)) {
    SHEAF_ASSIGN(auto opened, OpenSqlite(text.substr(kSqlite.size()), parts));
    return std::move(opened.parts);
  }
  if (IsPostgres(text)) {
    SHEAF_ASSIGN(auto opened, OpenPostgres(text, parts, ending));
    return std::move(opened.parts);
  }
  const bool known = text == "none" || text == "memory:" || text.starts_with(kFile);
  if (known && parts.opening == persistence::Opening::kLook) SHEAF_TRY(ExpectToLook(text));
  if (text == "none") return persistence::OpenNull();
  if (text == "memory:") return persistence::OpenMemory();
  if (text.starts_with(kFile)) {
    return persistence::OpenFile({.directory = Placed(parts.state_dir, text.substr(kFile.size()))});
  }
  return Fail(Kind::kUnsupported, "'" + text.substr(0, text.find(':')) +
                                      ":' is no back end; use sqlite:FILE, postgresql://…, "
                                      "file:DIR, memory: or none");
}

}  // namespace

std::string Placed(const std::string& state_dir, const std::string& name) {
  return (std::filesystem::path(state_dir) / name).lexically_normal().string();
}

bool IsPostgres(std::string_view text) { return text.starts_with(kPostgres); }

Result<PostgresPlace> PostgresPlaceOf(const std::string& text, const std::string& state_dir,
                                      const std::string& password_file) {
  PostgresPlace place{.url = text, .passfile = {}};
  if (text == kLocalPostgres) {
    place.url = "postgresql://sheaf@/sheaf?port=5432&host=" +
                postgres::UrlEscaped(Placed(state_dir, "postgres/socket"));
  }
  const std::string file = Placed(state_dir, password_file);
  if (password_file.empty() || !IsThere(file)) return place;
  // Libpq itself would pass over one that others may read, with a warning. And it asks one file
  // only: who is not in this one is looked up in the user's own.
  SHEAF_ASSIGN(const auto passwords, Passwords::Read(file));
  SHEAF_ASSIGN(const auto named, postgres::NamedIn(place.url));
  if (passwords.Concerns(named.user)) place.passfile = file;
  return place;
}

postgres::ConnectOptions ConnectOnce(const PostgresPlace& place) {
  postgres::ConnectOptions options;
  options.url = place.url;
  options.passfile = place.passfile;
  options.connect_wait = std::chrono::seconds(3);
  options.retry_deadline = Duration(0);
  return options;
}

postgres::Surroundings SurroundingsOf(Clock& clock, const std::shared_ptr<const Event>& ending) {
  const auto wait = [ending](Duration duration) -> Status {
    if (!ending->WaitFor(duration)) return Done();
    return Fail(Kind::kShuttingDown, "the node is stopping");
  };
  return {.clock = clock, .wait = wait, .chance = RandomPart};
}

std::string Shown(const std::string& text) {
  if (!IsPostgres(text) || text == kLocalPostgres) return text;
  auto where = postgres::WhereOf(text);
  return where.ok() ? *std::move(where) : std::string(kPostgres);
}

namespace {

// What waits for the database of `shown`. A database in this machine has none: a disk that is full
// or broken is not away, and the spool would lie on it too.
Result<persistence::Persistence> BehindSpool(persistence::Persistence inner,
                                             const std::string& text, const std::string& shown,
                                             const BackendParts& parts) {
  if (!parts.spool.has_value()) return inner;
  persistence::SpooledOptions options;
  options.spool = {.directory = Placed(parts.state_dir, "spool"),
                   .where = shown,
                   .bytes_max = parts.spool->bytes_max,
                   .account = parts.spool->account};
  if (!text.starts_with(kPostgres)) {
    std::error_code error;
    if (std::filesystem::exists(options.spool.directory, error)) {
      SHEAF_TRY(persistence::Spool::Open(options.spool));  // Nothing waits in it, or it says so.
    }
    return inner;
  }
  return persistence::OpenSpooled(std::move(inner), std::move(options),
                                  {.clock = parts.clock,
                                   .log = parts.spool->log,
                                   .metrics = parts.spool->metrics,
                                   .chance = RandomPart});
}

}  // namespace

// A new back end is one more `if` above, and its form in wire/settings.
Result<Backend> OpenBackend(const std::string& text, const BackendParts& parts) {
  Backend backend{.shown = Shown(text), .keeps = text != "none", .ending = parts.ending};
  auto opened = OpenParts(text, parts, backend.ending);
  if (opened.ok()) opened = BehindSpool(*std::move(opened), text, backend.shown, parts);
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    error.message.insert(0, "persistence.backend: ");
    if (error.kind == Kind::kDependency && text.starts_with(kPostgres)) {
      error.message += "; start the database, or name another persistence.backend";
    }
    return error;
  }
  backend.parts = *std::move(opened);
  return backend;
}

chronicle::ChronicleOptions ChronicleOptionsOf(const Settings& settings, const Backend& backend) {
  chronicle::ChronicleOptions options;
  options.place = {settings.node.name, ::getpid()};
  options.facts = {.name = settings.node.name,
                   .address = settings.flight.listen.Text(),
                   .memory_gib = static_cast<int32_t>(settings.memory.budget.count >> 30),
                   .slots = static_cast<int32_t>(settings.tasks.running_max)};
  options.backend = backend.shown;
  using Keeps = chronicle::ChronicleOptions::Keeps;
  options.keeps = backend.keeps ? Keeps::kAll : Keeps::kNothing;
  return options;
}

double RandomPart() {
  uint32_t random = 0;
  core::FillRandom(&random, sizeof random);
  return random / (UINT32_MAX + 1.0);
}

}  // namespace sheaf::app
