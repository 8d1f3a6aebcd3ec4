// What people and programs see of runs: metadata, task trees, explanations.
#include "sheaf/host/tasks/engine.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf::tasks {
namespace {

double Millis(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Json Used(const Path& path, const store::RecordPtr& record) {
  Json json{{"path", path.ToJson()}};
  json["generation"] = record == nullptr ? 0 : record->generation;
  return json;
}

void AddRecord(Json& json, const store::FlightRecord& record) {
  json["path"] = record.path.ToJson();
  json["generation"] = record.generation;
  json["created"] = ToText(record.created);
  json["expires"] = record.expires.has_value() ? Json(ToText(*record.expires)) : Json();
  json["tier"] = command::TierName(record.tier);
}

Json EstimateJson(const module::Estimate& estimate) {
  return {{"rows", estimate.rows}, {"bytes", estimate.bytes}};
}

}  // namespace

std::string_view RunStateName(RunState state) {
  switch (state) {
    case RunState::kQueued: return "queued";
    case RunState::kExecuting: return "executing";
    case RunState::kCompleted: return "completed";
    case RunState::kErrored: return "errored";
    case RunState::kCancelled: return "cancelled";
  }
  __builtin_unreachable();
}

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kHit: return "hit";
    case Outcome::kRun: return "run";
    case Outcome::kAttached: return "attached";
    case Outcome::kFused: return "fused";
    case Outcome::kPlanned: return "planned";
  }
  __builtin_unreachable();
}

Json Engine::Metadata(const Submission& submission) const {
  Json json;
  json["identity"] = submission.identity.Hex();
  json["hit"] = submission.hit.has_value();
  if (submission.hit.has_value()) {
    json["task"] = nullptr;
    AddRecord(json, *submission.hit->record);
    if (json["identity"] == "") json["identity"] = submission.hit->record->from.identity.Hex();
    return json;
  }
  MutexLock lock(mutex_);
  json["task"] = submission.run->id.text;
  json["outcome"] = OutcomeName(submission.outcome);
  if (submission.run->record != nullptr) AddRecord(json, *submission.run->record);
  return json;
}

std::optional<WallTime> Engine::ExpiresAt(const Submission& submission) const {
  if (submission.run == nullptr) return std::nullopt;
  MutexLock lock(mutex_);
  const auto mine = submission.run->interests.find(submission.interest);
  if (mine == submission.run->interests.end()) return std::nullopt;
  const WallTime now = parts_.timers.clock().Wall();
  if (mine->second.target.has_value()) {
    const auto& ttl = mine->second.target->sink.ttl_s;  // From the commit: not before this.
    return ttl ? std::optional(WallTime{now.micros + *ttl * 1'000'000}) : std::nullopt;
  }
  const Duration left = mine->second.claim_until - Now();
  return WallTime{now.micros +
                  std::chrono::duration_cast<std::chrono::microseconds>(left).count()};
}

Path Engine::SinkOf(const Submission& submission) const {
  if (submission.run == nullptr) return {};
  MutexLock lock(mutex_);
  const auto mine = submission.run->interests.find(submission.interest);
  if (mine == submission.run->interests.end() || !mine->second.target.has_value()) return {};
  return mine->second.target->sink.path;
}

Json Engine::PollDetails(const Submission& submission) const {
  if (submission.run == nullptr) return {{"state", "completed"}, {"progress", 1}};
  MutexLock lock(mutex_);
  return {{"task", submission.run->id.text},
          {"state", RunStateName(submission.run->told_state())},
          {"progress", submission.run->progress}};
}

Json Engine::DescribeChild(const Child& child) const {
  if (child.run != nullptr) {
    Json json = DescribeRun(*child.run);
    json["outcome"] = OutcomeName(child.outcome);
    return json;
  }
  if (child.node == nullptr) return Used(child.record->path, child.record);
  Json json{{"task", nullptr},
            {"service", child.node->command->service},
            {"identity", child.node->identity.Hex()},
            {"state", "completed"},
            {"outcome", OutcomeName(child.outcome)},
            {"inputs", Json::object()},
            {"estimate", EstimateJson(child.node->plan.estimate)}};
  if (child.record != nullptr) {
    AddRecord(json, *child.record);
    json["rows"] = child.record->rows;
    json["bytes"] = child.record->bytes;
  }
  return json;
}

Json Engine::DescribeRun(const Run& run) const {
  const Instant now = Now();
  const bool started = run.started != Instant{};
  const Instant end = run.has_ended() ? run.finished : now;
  Json json{{"task", run.id.text},
            {"service", run.node->command->service},
            {"identity", run.node->identity.Hex()},
            {"state", RunStateName(run.told_state())},
            {"outcome", OutcomeName(Outcome::kRun)},
            {"progress", run.progress},
            {"principal", run.principal},
            {"priority", run.priority},
            {"created", ToText(run.created_wall)},
            {"shared_by", run.attached + 1},
            {"estimate", EstimateJson(run.node->plan.estimate)}};
  Json inputs = Json::object();
  for (const Child& child : run.children) inputs[child.name] = DescribeChild(child);
  json["inputs"] = std::move(inputs);
  const store::Flight::Size size =
      run.has_ended() || run.flight == nullptr ? run.size : run.flight->size();
  json["rows"] = size.rows;
  json["bytes"] = size.bytes;
  const Instant begin = started ? run.started : end;
  json["ms"] = {
      {"queue", Millis(begin - run.created)},
      {"run", started ? Millis(end - run.started) : 0.0},
      {"stream",
       run.stream_until > begin && started ? Millis(run.stream_until - run.started) : 0.0}};
  if (run.node->command->sink.has_value()) json["sink"] = run.node->command->sink->ToJson();
  if (run.record != nullptr) json["generation"] = run.record->generation;
  if (run.error.has_value()) {
    json["error"] = {{"code", command::ToWire(run.error->kind).name},
                     {"message", run.error->message}};
  }
  return json;
}

Json Engine::DescribeNode(const Node& node) {
  Outcome outcome = Outcome::kPlanned;
  Json json{{"task", nullptr},
            {"service", node.command->service},
            {"identity", node.identity.Hex()},
            {"state", "known"},
            {"estimate", EstimateJson(node.plan.estimate)}};
  Json inputs = Json::object();
  if (node.hit.has_value()) {
    outcome = Outcome::kHit;
    json["state"] = "completed";
    AddRecord(json, *node.hit->record);
    json["rows"] = node.hit->record->rows;
    json["bytes"] = node.hit->record->bytes;
  } else if (RunPtr run = Attachable(node)) {
    outcome = Outcome::kAttached;
    json["task"] = run->id.text;
    json["state"] = RunStateName(run->told_state());
  } else {
    for (const auto& [name, input] : node.inputs) {
      if (input.node == nullptr) {
        inputs[name] = Used(input.path, input.found ? input.found->record : nullptr);
        continue;
      }
      inputs[name] = DescribeNode(*input.node);
      if (node.Fuses(input)) {
        inputs[name]["outcome"] = OutcomeName(Outcome::kFused);
        inputs[name]["task"] = nullptr;
      }
    }
  }
  if (node.command->sink.has_value()) json["sink"] = node.command->sink->ToJson();
  json["outcome"] = OutcomeName(outcome);
  json["inputs"] = std::move(inputs);
  return json;
}

Result<Json> Engine::Explain(const CommandPtr& command, const flights::Context& context) {
  SHEAF_ASSIGN(auto node, PlanTree(command, context.principal, tree_parts(),
                                   module::PlanRequest::For::kSchema));
  SHEAF_TRY(InputsAreThere(*node));
  MutexLock lock(mutex_);
  return DescribeNode(*node);
}

Result<Json> Engine::Describe(const TaskId& id, const flights::Context& context) const {
  MutexLock lock(mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end() || !found->second->principals.contains(context.principal)) {
    return Fail(Kind::kNotFound, "no task '" + id.text.substr(0, 64) +
                                     "' of yours on this node; `sheaf tasks --all` or ListTasks "
                                     "shows them");
  }
  return DescribeRun(*found->second);
}

std::vector<Json> Engine::List(const flights::Context& context) const {
  MutexLock lock(mutex_);
  std::vector<Json> list;
  for (const auto& [id, run] : runs_) {
    if (run->principals.contains(context.principal)) list.push_back(DescribeRun(*run));
  }
  return list;
}

Result<Schema> Engine::PlanSchema(const CommandPtr& command, const flights::Context& context) {
  SHEAF_ASSIGN(auto node, PlanTree(command, context.principal, tree_parts(),
                                   module::PlanRequest::For::kSchema));
  if (node->plan.schema != nullptr) return node->plan.schema;
  return Fail(Kind::kUnsupported, "the schema of service '" + command->service +
                                      "' is not known before it runs; use GetFlightInfo");
}

}  // namespace sheaf::tasks
