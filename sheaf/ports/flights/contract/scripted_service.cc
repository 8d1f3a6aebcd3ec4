#include "sheaf/ports/flights/contract/scripted_service.h"

#include <arrow/api.h>

#include <algorithm>

#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights::contract {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

struct Script final : module::PlanState {
  Json spec;
};

}  // namespace

std::shared_ptr<arrow::Schema> ScriptedSchema() {
  return arrow::schema({arrow::field("n", arrow::int64())});
}

Batch ScriptedRows(int64_t from, int64_t count) {
  arrow::Int64Builder builder;
  for (int64_t i = from; i < from + count; ++i) SHEAF_CHECK(builder.Append(i).ok());
  return arrow::RecordBatch::Make(ScriptedSchema(), count, {*builder.Finish()});
}

Result<module::Plan> ScriptedService::MakePlan(const module::PlanRequest& request) {
  command::ObjectReader read(request.spec, "spec");
  SHEAF_ASSIGN(const int64_t rows, read.Integer("rows", 10, 0, 1'000'000'000));
  SHEAF_TRY(read.Integer("batch_rows", 4, 1, 1'000'000));
  SHEAF_TRY(read.Boolean("hold", false));
  SHEAF_TRY(read.String("fail", ""));
  read.Take("tag");
  SHEAF_TRY(read.Finish());
  auto script = std::make_shared<Script>();
  script->spec = request.spec;
  module::Plan plan;
  plan.state = std::move(script);
  plan.estimate.rows = rows;
  plan.schema = ScriptedSchema();
  if (!request.inputs.empty()) plan.schema = request.inputs.begin()->second.schema;
  MutexLock lock(mutex_);
  plan.sources.push_back({.source = "scripted:source", .token = token_});
  return plan;
}

Status ScriptedService::Run(const module::Plan& plan,
                            const std::map<std::string, module::RunInput>& inputs,
                            module::ResultWriter& writer, const module::RunContext& context) {
  Count(runs_);
  const Json& spec = dynamic_cast<const Script&>(*plan.state).spec;
  const Status done =
      inputs.empty() ? Produce(spec, writer, context) : PassThrough(inputs, writer, context);
  if (context.cancel.cancelled()) Count(cancelled_);
  SHEAF_TRY(done);
  const std::string failure = spec.value("fail", "");
  return failure.empty() ? Done() : Status(Fail(Kind::kFailed, failure));
}

Status ScriptedService::Produce(const Json& spec, module::ResultWriter& writer,
                                const module::RunContext& context) {
  const int64_t rows = spec.value("rows", int64_t{10});
  const int64_t step = spec.value("batch_rows", int64_t{4});
  SHEAF_TRY(writer.Begin(ScriptedSchema(), 1));
  for (int64_t from = 0; from < rows; from += step) {
    SHEAF_TRY(context.cancel.Check());
    SHEAF_TRY(writer.Write(0, ScriptedRows(from, std::min(step, rows - from))));
    if (from == 0 && spec.value("hold", false)) SHEAF_TRY(Hold(context.cancel));
  }
  return Done();
}

Status ScriptedService::PassThrough(const std::map<std::string, module::RunInput>& inputs,
                                    module::ResultWriter& writer,
                                    const module::RunContext& context) {
  bool begun = false;
  for (const auto& [name, input] : inputs) {
    SHEAF_ASSIGN(auto reader, input.open());
    if (!begun) SHEAF_TRY(writer.Begin(reader->schema(), 1));
    begun = true;
    while (true) {
      SHEAF_TRY(context.cancel.Check());
      Batch batch;
      SHEAF_ARROW_TRY(Kind::kFailed, reader->ReadNext(&batch));
      if (batch == nullptr) break;
      SHEAF_TRY(writer.Write(0, std::move(batch)));
    }
  }
  return Done();
}

Status ScriptedService::Hold(const CancelToken& cancel) {
  const auto wake = cancel.OnCancel([this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  while (!released_ && !cancel.cancelled()) changed_.Wait(mutex_);
  return cancel.Check();
}

void ScriptedService::Release() {
  MutexLock lock(mutex_);
  released_ = true;
  changed_.NotifyAll();
}

void ScriptedService::SetToken(std::string token) {
  MutexLock lock(mutex_);
  token_ = std::move(token);
}

void ScriptedService::Count(std::atomic<int>& counter) {
  MutexLock lock(mutex_);
  ++counter;
  changed_.NotifyAll();
}

bool ScriptedService::WaitForRuns(int count) const { return WaitUntil(runs_, count); }
bool ScriptedService::WaitForCancelled(int count) const { return WaitUntil(cancelled_, count); }

bool ScriptedService::WaitUntil(const std::atomic<int>& counter, int count) const {
  const time::SystemClock clock;
  const Instant end = clock.Now() + kPatience;
  MutexLock lock(mutex_);
  while (counter < count) {
    const Duration left = clock.RealWait(end);
    if (left <= Duration(0)) return false;
    changed_.WaitFor(mutex_, left);
  }
  return true;
}

}  // namespace sheaf::flights::contract
