// The module door: a unit that is loaded, started, asked for its health, and stopped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sheaf/ports/module/host.h"
#include "sheaf/ports/module/service.h"

namespace sheaf::module {

struct Health {
  enum class State : uint8_t { kReady, kNotReady } state = State::kNotReady;
  std::string reason;  // Why it is not ready; empty when it is.
};

// A Module offers services.
//
// Owner: host/modules. Threads: Start and Stop once, from one thread; Check from any.
// Blocking: Start and Stop may take their time; the host watches them by a deadline and goes on
// without a module that hangs. Any of them may throw: the host turns that into "not ready".
class Module {
 public:
  virtual ~Module() = default;
  virtual std::string_view name() const = 0;
  virtual std::vector<std::string> needs() const { return {}; }  // Modules started before it.
  virtual Status Start(Host& host) = 0;
  virtual std::vector<Service*> services() = 0;  // Valid from Start to Stop; owned by the module.
  virtual Health Check() = 0;
  virtual void Stop() = 0;
};

}  // namespace sheaf::module
