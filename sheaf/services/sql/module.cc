#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "sheaf/services/sql/service.h"
#include "sheaf/services/sql/sql.h"

namespace sheaf::sql {
namespace {

// Owner: host/modules. As ports/module/module.h says.
class SqlModule final : public module::Module {
 public:
  std::string_view name() const override { return "sql"; }

  Status Start(module::Host& host) override {
    SHEAF_ASSIGN(const auto options, SqlOptions::FromHost(host));
    std::string own_path;
    auto path = host.OwnPath();
    if (path.ok()) {
      // DuckDB's file system permits by prefix: no links, no dots.
      std::error_code failed;
      own_path = std::filesystem::canonical(*path, failed).string();
      if (failed) return Fail(Kind::kDependency, "sql: " + *path + ": " + failed.message());
    } else if (path.error().kind != Kind::kForbidden) {
      return std::move(path).error();
    }
    SHEAF_ASSIGN(service_, SqlService::Open(options, host.metrics(), std::move(own_path)));
    return Done();
  }

  std::vector<module::Service*> services() override { return {service_.get()}; }

  module::Health Check() override {
    using State = module::Health::State;
    if (service_ == nullptr) return {State::kNotReady, "not started"};
    const size_t lingering = service_->lingering();
    if (lingering >= service_->options().lingering_max) {
      return {State::kNotReady, std::to_string(lingering) + " cancelled queries have not ended"};
    }
    return {State::kReady, ""};
  }

  void Stop() override { service_.reset(); }

 private:
  std::unique_ptr<SqlService> service_;
};

}  // namespace

std::unique_ptr<module::Module> MakeSqlModule() { return std::make_unique<SqlModule>(); }

}  // namespace sheaf::sql
