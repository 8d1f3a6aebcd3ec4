#include "sheaf/services/sql/service.h"

#include <arrow/memory_pool.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "sheaf/base/core/resident.h"
#include "sheaf/services/sql/run.h"
#include "sheaf/services/sql/spec.h"

namespace sheaf::sql {
namespace {

Result<Bytes> BytesSetting(const module::Host& host, std::string_view key, Bytes fallback) {
  const auto value = host.Setting(key);
  if (!value || value->is_null()) return fallback;
  if (value->is_number_integer() && value->get<int64_t>() >= 0) {
    return Bytes{value->get<int64_t>()};
  }
  if (value->is_string()) {
    auto parsed = core::ParseBytes(value->get<std::string>());
    if (!parsed.ok()) return std::move(parsed).error().In("sql." + std::string(key));
    return parsed;
  }
  return Fail(Kind::kInvalid, "sql." + std::string(key) + ": a number of bytes, such as \"1GiB\"");
}

Result<int64_t> CountSetting(const module::Host& host, std::string_view key, int64_t fallback,
                             int64_t min, int64_t max) {
  const auto value = host.Setting(key);
  if (!value || value->is_null()) return fallback;
  if (value->is_number_integer()) {
    const auto count = value->get<int64_t>();
    if (count >= min && count <= max) return count;
  }
  return Fail(Kind::kInvalid, "sql." + std::string(key) + ": a number from " + std::to_string(min) +
                                  " to " + std::to_string(max));
}

// Below it DuckDB cannot even plan.
constexpr Bytes kMemoryMin = 16_MiB;

// What the process holds beside Arrow's pools, which are others' to count.
Bytes Unaccounted() {
  return ResidentAnonymous() - Bytes{arrow::default_memory_pool()->bytes_allocated()} -
         Bytes{arrow::system_memory_pool()->bytes_allocated()};
}

// A limit of DuckDB's in the words of who set it: DuckDB has its own for it, and advice that nobody
// here can follow.
Error NameLimit(Error error, const SqlOptions& options, const module::RunContext& context) {
  if (error.kind != Kind::kExhausted || !error.message.starts_with("Out of Memory Error")) {
    return error;
  }
  if (error.message.find("failed to offload") != std::string::npos) {
    error.message = "the query spills more than " + core::ToText(options.temp_bytes_max) +
                    " to disk (sql.temp_bytes_max)";
    return error;
  }
  const Bytes asked = context.memory_max.value_or(options.memory_max);
  error.message = "the query needs more memory than its limit of ";
  if (asked < options.memory_max) {
    error.message += std::to_string(asked.count) + " bytes (options.memory_bytes of the command";
    if (asked < kMemoryMin) error.message += "; " + core::ToText(kMemoryMin) + " were given";
    error.message += ")";
  } else {
    error.message += core::ToText(options.memory_max) + " (sql.memory)";
  }
  if (context.disk == module::RunContext::Disk::kForbidden) {
    error.message += ", and retain_s 0 keeps it from spilling to disk";
  }
  return error;
}

}  // namespace

Result<SqlOptions> SqlOptions::FromHost(const module::Host& host) {
  SqlOptions options;
  const auto cores = static_cast<int64_t>(std::max(1u, std::thread::hardware_concurrency()));
  SHEAF_ASSIGN(options.memory_max, BytesSetting(host, "memory", options.memory_max));
  SHEAF_ASSIGN(options.temp_bytes_max,
               BytesSetting(host, "temp_bytes_max", options.temp_bytes_max));
  SHEAF_ASSIGN(options.memory_slack, BytesSetting(host, "memory_slack", options.memory_slack));
  SHEAF_ASSIGN(const int64_t threads, CountSetting(host, "threads", cores, 1, 1024));
  SHEAF_ASSIGN(const int64_t spares, CountSetting(host, "spares", 1, 0, 64));
  SHEAF_ASSIGN(options.rows_max, CountSetting(host, "rows_max", 0, 0, INT64_MAX));
  options.threads = static_cast<int>(threads);
  options.spares_max = static_cast<size_t>(spares);
  if (options.memory_max < kMemoryMin) {
    return Fail(Kind::kInvalid, "sql.memory: at least " + core::ToText(kMemoryMin));
  }
  return options;
}

SqlService::SqlService(const SqlOptions& options, Metrics& metrics, std::string own_path)
    : options_(options),
      own_path_(std::move(own_path)),
      probe_(metrics),
      watch_(Unaccounted, options.memory_slack),
      drivers_({.name = "sql", .threads_max = options.runs_max, .queue_max = options.runs_max}) {}

SqlService::~SqlService() = default;

Result<std::unique_ptr<SqlService>> SqlService::Open(const SqlOptions& options, Metrics& metrics,
                                                     std::string own_path) {
  auto service = std::unique_ptr<SqlService>(new SqlService(options, metrics, std::move(own_path)));
  SHEAF_ASSIGN(service->engine_,
               duckdb::Engine::Open({.threads = options.threads,
                                     .spares_max = options.spares_max,
                                     .on_take = [raw = service.get()] { raw->RefillLater(); }}));
  return service;
}

void SqlService::RefillLater() {
  // Refused when there are too many runs anyway: then the next one opens its own.
  (void)drivers_.TryPost([this] { engine_->Refill(); });
}

Result<module::Plan> SqlService::MakePlan(const module::PlanRequest& request) {
  SHEAF_TRY(CheckNames(request.inputs));
  SHEAF_ASSIGN(auto spec, Spec::Parse(request.spec));
  module::Plan plan;
  plan.fuses_parquet = true;
  bool known = true;
  std::vector<duckdb::Table> tables;
  for (const auto& [name, input] : request.inputs) {
    duckdb::Table table{.name = name, .schema = input.schema, .rows = input.estimate.rows};
    if (input.parquet) {
      table.files = input.parquet->files;
      table.columns = input.parquet->columns;
    }
    known = known && (table.schema != nullptr || !table.files.empty());
    SHEAF_TRY(duckdb::CheckTable(table));
    tables.push_back(std::move(table));
  }
  if (known && request.purpose == module::PlanRequest::For::kSchema) {
    const duckdb::QueryLimits limits{.memory_max = options_.memory_max};
    auto bound =
        duckdb::Query::Bind(*engine_, spec.statement, spec.values, std::move(tables), limits);
    SHEAF_ASSIGN(plan.schema, std::move(bound));
  }
  plan.state = std::make_shared<SqlPlan>(std::move(spec));
  return plan;
}

duckdb::QueryLimits SqlService::LimitsOf(const module::RunContext& context) {
  duckdb::QueryLimits limits{.memory_max = options_.memory_max,
                             .spill_max = options_.temp_bytes_max};
  if (context.memory_max) {
    limits.memory_max = std::clamp(*context.memory_max, kMemoryMin, options_.memory_max);
  }
  if (context.disk == module::RunContext::Disk::kAllowed && !own_path_.empty()) {
    limits.spill_directory = own_path_ + "/run-" + std::to_string(spill_next_.fetch_add(1));
  }
  return limits;
}

Status SqlService::Run(const module::Plan& plan,
                       const std::map<std::string, module::RunInput>& inputs,
                       module::ResultWriter& writer, const module::RunContext& context) {
  const auto* state = dynamic_cast<const SqlPlan*>(plan.state.get());
  SHEAF_CHECK(state != nullptr);
  SHEAF_TRY(CheckNames(inputs));
  SHEAF_TRY(context.cancel.Check());
  if (lingering_.load() >= options_.lingering_max) {
    return Fail(Kind::kExhausted, std::to_string(lingering_.load()) +
                                      " cancelled queries have not ended yet; try again");
  }
  const Instant start = time::SystemClock().Now();
  const RunOptions options{.limits = LimitsOf(context), .rows_max = options_.rows_max};
  auto guarded = std::make_shared<GuardedInputs>(inputs);
  auto session = std::make_shared<Session>(*engine_, state->spec, guarded, options.limits);
  // 1 while the run follows, 2 once it has left a query behind.
  auto left = std::make_shared<std::atomic<bool>>(false);
  const bool posted = drivers_.TryPost([this, session, left] {
    session->Drive();
    if (left->exchange(true)) probe_.lingering.Set(static_cast<double>(--lingering_));
  });
  if (!posted) return Fail(Kind::kExhausted, "too many queries at once");
  probe_.running.Set(static_cast<double>(++running_));
  RunOutcome outcome = Follow(*session, *guarded, watch_, writer, context, options);
  probe_.running.Set(static_cast<double>(--running_));
  if (outcome.lingers) {
    probe_.lingering.Set(static_cast<double>(++lingering_));
    if (left->exchange(true)) probe_.lingering.Set(static_cast<double>(--lingering_));
  }
  if (outcome.memory_cut) probe_.memory_cut.Increment();
  probe_.rows.Add(static_cast<double>(outcome.rows));
  probe_.seconds.Observe(std::chrono::duration<double>(time::SystemClock().Now() - start).count());
  const bool cancelled = context.cancel.cancelled();
  (outcome.status.ok() ? probe_.runs_ok
   : cancelled         ? probe_.runs_cancelled
                       : probe_.runs_failed)
      .Increment();
  if (outcome.status.ok()) return Done();
  return NameLimit(std::move(outcome.status).error(), options_, context);
}

}  // namespace sheaf::sql
