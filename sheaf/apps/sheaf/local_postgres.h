// A PostgreSQL server that is Sheaf's alone, below the state directory: persistence.backend =
// "postgresql:local". It listens on a Unix socket in a private directory and nowhere else.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sheaf/apps/sheaf/db_create.h"
#include "sheaf/apps/sheaf/process.h"
#include "sheaf/drivers/postgres/postgres.h"
#include "sheaf/ports/persistence/administration.h"
#include "sheaf/wire/settings/settings.h"

namespace sheaf::app {

// Owner: the command. Threads: one. Blocking: all; `report` is heard and called meanwhile.
class LocalPostgres final {
 public:
  LocalPostgres(std::string state_dir, const Settings& settings, postgres::Surroundings around)
      : state_dir_(std::move(state_dir)), up_(settings.up), around_(std::move(around)) {}

  // Absent: it does not run. Changes nothing.
  std::optional<ProcessId> Running() const;

  // Makes its files if there are none, starts it if it does not run, and makes its database.
  // True: it was started. kInvalid names what is missing on this machine.
  Result<bool> Up(const persistence::Report& report);
  // As an operator would stop it: sessions are ended, all that is committed is written. False: it
  // did not run.
  Result<bool> Down(const persistence::Report& report);

 private:
  std::string Directory() const { return state_dir_ + "/postgres"; }
  std::string Log() const { return Directory() + "/log"; }
  Result<std::string> Program(const std::string& name) const;
  Status MakeDirectories() const;
  Status ExpectReach() const;
  Status Initialise(const persistence::Report& report) const;
  Result<ProcessId> StartServer() const;
  Status AwaitAnswer(const ProcessId& server, const persistence::Report& report) const;
  Status MakeDatabase() const;

  const std::string state_dir_;
  const Settings::Up up_;
  const postgres::Surroundings around_;
};

// Who makes the roles there: the first superuser, until they are made.
void AsLocalSuperuser(const std::string& state_dir, CreateOptions& options);
// Its password, which is good for nothing once it may not log in.
void ForgetSuperuser(const std::string& state_dir);

}  // namespace sheaf::app
