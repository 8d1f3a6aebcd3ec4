#include "sheaf/apps/sheaf/backend.h"

#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "sheaf/adapters/persistence/persistence.h"
#include "sheaf/drivers/postgres/postgres.h"

namespace sheaf::app {
namespace {

constexpr std::string_view kSqlite = "sqlite:", kFile = "file:", kPostgres = "postgresql:";
constexpr Duration kSilent = std::chrono::seconds(10);

// Where a relative name lies; also one with `..` in it.
std::string Placed(const std::string& state_dir, const std::string& name) {
  return (std::filesystem::path(state_dir) / name).lexically_normal().string();
}

// The chronicle tries again by itself: a session that is lost waits for less than a stop may take.
Result<persistence::SqlPersistence> OpenPostgres(const std::string& url, const BackendParts& parts,
                                                 const std::shared_ptr<const Event>& ending) {
  persistence::PostgresOptions options;
  options.connect = {
      .url = url, .connect_wait = std::chrono::seconds(3), .retry_deadline = parts.tries};
  // A node's writes go to the spool when the database is silent for so long.
  if (parts.spool.has_value()) options.connect.statement_timeout = kSilent;
  options.background = &parts.background;
  const auto wait = [ending](Duration duration) -> Status {
    if (!ending->WaitFor(duration)) return Done();
    return Fail(Kind::kShuttingDown, "the node is stopping");
  };
  return persistence::OpenPostgres(std::move(options),
                                   {.clock = parts.clock, .wait = wait, .chance = RandomPart});
}

// What `text` names.
Result<persistence::Persistence> OpenParts(const std::string& text, const BackendParts& parts,
                                           const std::shared_ptr<const Event>& ending) {
  if (text == "none") return persistence::OpenNull();
  if (text == "memory:") return persistence::OpenMemory();
  if (text.starts_with(kFile)) {
    return persistence::OpenFile({.directory = Placed(parts.state_dir, text.substr(kFile.size()))});
  }
  if (text.starts_with(kSqlite)) {
    persistence::SqliteOptions options;
    options.path = Placed(parts.state_dir, text.substr(kSqlite.size()));
    options.background = &parts.background;
    SHEAF_ASSIGN(auto opened, persistence::OpenSqlite(std::move(options)));
    return std::move(opened.parts);
  }
  if (text.starts_with(kPostgres)) {
    SHEAF_ASSIGN(auto opened, OpenPostgres(text, parts, ending));
    return std::move(opened.parts);
  }
  return Fail(Kind::kUnsupported, "'" + text.substr(0, text.find(':')) +
                                      ":' is no back end; use sqlite:FILE, postgresql://…, "
                                      "file:DIR, memory: or none");
}

// As people are told it: of a URL only what is no secret.
std::string Shown(const std::string& text) {
  if (!text.starts_with(kPostgres)) return text;
  auto where = postgres::WhereOf(text);
  return where.ok() ? *std::move(where) : std::string(kPostgres);
}

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
