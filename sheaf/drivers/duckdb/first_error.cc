#include "sheaf/drivers/duckdb/first_error.h"

#include <utility>

#include "duckdb/common/progress_bar/progress_bar_display.hpp"
#include "duckdb/execution/executor.hpp"
#include "duckdb/main/client_config.hpp"
#include "duckdb/main/client_context.hpp"

namespace sheaf::duckdb {

class FirstError::Display final : public ddb::ProgressBarDisplay {
 public:
  Display(ddb::Executor& executor, std::shared_ptr<std::optional<ddb::ErrorData>> error)
      : executor_(executor), error_(std::move(error)) {
    error_->reset();
  }
  ~Display() override {
    if (executor_.HasError()) *error_ = executor_.GetError();
  }

  void Update(double) override {}
  void Finish() override {}

 private:
  ddb::Executor& executor_;
  const std::shared_ptr<std::optional<ddb::ErrorData>> error_;
};

void FirstError::Watch(ddb::ClientContext& context) {
  auto& config = ddb::ClientConfig::GetConfig(context);
  config.enable_progress_bar = true;
  config.print_progress_bar = true;
  config.display_create_func = [&context, error = error_]() {
    return ddb::unique_ptr<ddb::ProgressBarDisplay>(
        ddb::make_uniq<Display>(ddb::Executor::Get(context), error));
  };
}

const ddb::ErrorData& FirstError::Behind(const ddb::ErrorData& reported) const {
  const bool hidden = reported.Type() == ddb::ExceptionType::INTERRUPT && error_->has_value();
  return hidden ? **error_ : reported;
}

}  // namespace sheaf::duckdb
