// Where `persistence.backend` becomes a back end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sheaf/adapters/persistence/persistence.h"
#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/drivers/postgres/postgres.h"
#include "sheaf/host/chronicle/chronicle.h"
#include "sheaf/ports/persistence/persistence.h"
#include "sheaf/wire/settings/settings.h"

namespace sheaf::app {

struct Backend {
  persistence::Persistence parts;
  std::string shown;              // For people, without passwords.
  bool keeps = true;              // Not `none`.
  std::shared_ptr<Event> ending;  // That of its parts.
};

// For who writes as a node: what waits while a database is away lies in `state_dir`/spool.
struct SpoolParts {
  uint64_t bytes_max = 0;  // 0: no spool.
  Log& log;
  Metrics& metrics;
  std::shared_ptr<Account> account;
};

// What outlives a back end.
struct BackendParts {
  const std::string& state_dir;  // Relative names lie there.
  Clock& clock;
  Executor& background;
  Duration tries = std::chrono::seconds(5);  // A database that is away is asked again so long.
  // Of `sheaf db`: what becomes of an older schema where it is not as usual, and how long one
  // statement may take.
  std::optional<persistence::OlderSchema> older = std::nullopt;
  Duration statement_timeout = std::chrono::seconds(30);
  // Set when the process ends: who waits for a database that is away gives up. Shared with waits.
  std::shared_ptr<Event> ending = std::make_shared<Event>();
  std::string password_file = "database.pass";  // persistence.password_file.
  persistence::Opening opening = persistence::Opening::kPrepare;
  std::optional<SpoolParts> spool = std::nullopt;  // None: a command, which waits for nobody.
};

// Where a postgresql: back end is.
struct PostgresPlace {
  std::string url;
  std::string passfile;  // Empty: there is none.
};
bool IsPostgres(std::string_view text);
// As people are told it: of a URL only what is no secret.
std::string Shown(const std::string& text);
inline constexpr std::string_view kLocalPostgres = "postgresql:local";
// `password_file` as the settings say it. kForbidden: others may read it.
Result<PostgresPlace> PostgresPlaceOf(const std::string& text, const std::string& state_dir,
                                      const std::string& password_file);
// Where a relative name of the settings lies.
std::string Placed(const std::string& state_dir, const std::string& name);
// How a session with it is opened, trying once.
postgres::ConnectOptions ConnectOnce(const PostgresPlace& place);
// What a wait for it is: `ending` ends it.
postgres::Surroundings SurroundingsOf(Clock& clock, const std::shared_ptr<const Event>& ending);

// `text` is persistence.backend as the settings checked it. Whatever cannot be opened is an error
// that names the setting and never a password; nothing ever becomes `none` by itself.
// A PostgreSQL has a spool before it, and what the last process left there is made first; any other
// back end is refused while something waits there for a PostgreSQL.
// Blocking: disks; a PostgreSQL that is away is asked again for `tries`.
Result<Backend> OpenBackend(const std::string& text, const BackendParts& parts);

// What a chronicle over it is told of this node.
chronicle::ChronicleOptions ChronicleOptionsOf(const Settings& settings, const Backend& backend);
// A number of [0, 1).
double RandomPart();

}  // namespace sheaf::app
