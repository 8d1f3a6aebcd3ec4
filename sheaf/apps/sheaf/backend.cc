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

// Where a relative name lies; also one with `..` in it.
std::string Placed(const std::string& state_dir, const std::string& name) {
  return (std::filesystem::path(state_dir) / name).lexically_normal().string();
}

// The chronicle tries again by itself: a session that is lost waits for less than a stop may take.
Result<persistence::SqlPersistence> OpenPostgres(const std::string& url, const BackendParts& parts,
                                                 const std::shared_ptr<const Event>& ending) {
  persistence::PostgresOptions options;
  options.connect = {
      .url = url,
      .connect_wait = std::chrono::seconds(3),
      .statement_timeout = parts.statement_timeout,
      .retry_deadline = parts.tries};
  options.older = parts.older.value_or(options.older);
  options.backup_directory = parts.state_dir;
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
    options.clock = &parts.clock;
    options.older = parts.older.value_or(options.older);
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

}  // namespace

// A new back end is one more `if` above, and its form in wire/settings.
Result<Backend> OpenBackend(const std::string& text, const BackendParts& parts) {
  Backend backend{.shown = Shown(text), .keeps = text != "none", .ending = parts.ending};
  auto opened = OpenParts(text, parts, backend.ending);
  if (!opened.ok()) return std::move(opened).error().In("persistence.backend");
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
