// What one module is lent: the host door, seen from that module.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sheaf/ports/module/host.h"

namespace sheaf::modules {

// What main gives to be lent. Everything is borrowed and outlives the modules.
struct HostParts {
  flights::Flights& flights;
  secrets::Secrets& secrets;
  Log& log;
  Metrics& metrics;
  Clock& clock;
  Timers& timers;
  Executor& executor;
  std::shared_ptr<Account> account;  // Shared: each module opens its own below it.
  std::function<std::optional<Json>(std::string_view key)> setting;  // "sql.memory"; may be null.
  std::string state_dir;             // Empty: this node must not touch the disk.
};

// Owner: the module's slot. Threads: any.
class ModuleHost final : public module::Host {
 public:
  ModuleHost(const HostParts& parts, std::string name);

  flights::Flights& flights() override { return parts_.flights; }
  secrets::Secrets& secrets() override { return parts_.secrets; }
  Log& log() override { return parts_.log; }
  Metrics& metrics() override { return parts_.metrics; }
  Clock& clock() override { return parts_.clock; }
  Timers& timers() override { return parts_.timers; }
  Executor& executor() override { return parts_.executor; }
  std::shared_ptr<Account> account() override { return account_; }
  std::optional<Json> Setting(std::string_view key) const override;
  Result<std::string> OwnPath() override;

 private:
  const HostParts parts_;
  const std::string name_;
  const std::shared_ptr<Account> account_;
  Mutex mutex_;
  bool made_ SHEAF_GUARDED_BY(mutex_) = false;
};

// Removes what the modules of the last run left; kDependency when the disk refuses.
Status EmptyOwnPaths(const std::string& state_dir);

}  // namespace sheaf::modules
