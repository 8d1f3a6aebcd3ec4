// What the commands of `sheaf db` share: which database they mean, how it is opened, how they end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sheaf/apps/sheaf/backend.h"
#include "sheaf/apps/sheaf/cli.h"
#include "sheaf/apps/sheaf/configuration.h"
#include "sheaf/wire/settings/settings.h"

namespace sheaf::app {

// Exit codes of `sheaf db` beside those of all commands.
enum DbExit : int {
  kExitRejected = 1,  // Something was rejected or differs.
  kExitHeld = 5,      // A scope that must be free is held; its holder is named.
};

struct DbFlags {
  ConfigFlags config;   // --config, --state, --set: persistence.backend and state.dir count.
  std::string backend;  // --backend, which is --set persistence.backend=…
  bool json = false;
  // Of the command itself: an older schema stays as it is until the command says otherwise.
  std::optional<persistence::OlderSchema> older;
};
// Declares them; --json prints JSON on standard output in place of words.
void AddDbFlags(Command& command, DbFlags& flags);

// A command on a database. Owner: the command. Ctrl-C makes `report` return kCancelled.
class DbSession {
 public:
  virtual ~DbSession() = default;
  virtual const Settings& settings() const = 0;
  virtual const std::string& state_dir() const = 0;
  virtual Clock& clock() = 0;
  // How a back end is opened here.
  virtual BackendParts parts(persistence::Opening opening) = 0;
  // The one that was opened; not WithDbSettings.
  virtual Backend& backend() = 0;
  // Shows progress on a terminal's standard error and hears Ctrl-C.
  virtual const persistence::Report& report() = 0;
  // kUnsupported with the back end's name when it has none.
  virtual Result<persistence::Administration*> administration() = 0;
};

// kExitOk when the state directory is there; else says so, which is a usage error.
int ExpectState(const DbSession& session);

using DbWork = std::function<Result<int>(DbSession&)>;

// Opens persistence.backend as a node with these flags would, without being one, does the work and
// reports its error; returns the exit code: that of `work`, kExitHeld for a scope that is held.
// A state directory that was named must be there.
int WithDatabase(const DbFlags& flags, const DbWork& work);
// The same for a command that only looks: nothing is made or changed; what is not there is an
// error.
int LookAtDatabase(const DbFlags& flags, const DbWork& work);
// The same before anything is opened; the state directory need not be there.
int WithDbSettings(const DbFlags& flags, const DbWork& work);

}  // namespace sheaf::app
