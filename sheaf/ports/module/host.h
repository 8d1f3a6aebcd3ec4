// The host door: what a module may ask of the server that loaded it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/ports/flights/flights.h"
#include "sheaf/ports/secrets/secrets.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::module {

// Lent to a module for its life, from Start to the end of Stop.
//
// Threads: any. Blocking: as the thing lent says.
class Host {
 public:
  virtual ~Host() = default;
  virtual flights::Flights& flights() = 0;  // How a service reaches another.
  virtual secrets::Secrets& secrets() = 0;
  virtual Log& log() = 0;
  virtual Metrics& metrics() = 0;
  virtual Clock& clock() = 0;
  virtual Timers& timers() = 0;
  virtual Executor& executor() = 0;  // For short work; long work belongs to runs.
  virtual std::shared_ptr<Account> account() = 0;
  // This module's own settings ("sql.memory" for module "sql" is "memory"); a value as JSON.
  virtual std::optional<Json> Setting(std::string_view key) const = 0;
  // A private directory of this module below the state directory, made on first use; emptied at
  // each start of the server. kForbidden on a node that must not touch the disk.
  virtual Result<std::string> OwnPath() = 0;
};

}  // namespace sheaf::module
