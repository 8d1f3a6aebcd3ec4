#include "sheaf/host/tasks/actions.h"

#include <algorithm>
#include <utility>

namespace sheaf::tasks {
namespace {

using command::ObjectReader;
using Answer = Actions::Answer;

Answer One(Json value) { return std::vector<Json>{std::move(value)}; }

struct PathBody {
  Path path;
  std::optional<uint64_t> generation;
  std::optional<int64_t> ttl_s;
};

// {"path", "generation"?, "ttl_s"?} of Drop, Pin, Touch, Refresh and Get.
Result<PathBody> ReadPathBody(const Json& body, ObjectReader& read) {
  PathBody parsed;
  SHEAF_TRY(read.Known({"path", "generation", "ttl_s"}));
  const Json* path = read.Take("path");
  if (path == nullptr) return Fail(Kind::kInvalid, "the body needs \"path\": [\"…\"]");
  SHEAF_ASSIGN(parsed.path, Path::FromJson(*path, "path"));
  if (read.Has("generation")) {
    SHEAF_ASSIGN(const int64_t generation, read.Integer("generation", 0, 0, INT64_MAX));
    parsed.generation = static_cast<uint64_t>(generation);
  }
  if (body.contains("ttl_s") && !body["ttl_s"].is_null()) {
    SHEAF_ASSIGN(const int64_t ttl_s, read.Integer("ttl_s", 0, 1, command::kSecondsMax));
    parsed.ttl_s = ttl_s;
  } else {
    read.Take("ttl_s");
  }
  return parsed;
}

// kConflict when the caller means another generation than the one that is there.
Status CheckGeneration(const PathBody& what, const store::FlightRecord& record) {
  if (!what.generation.has_value() || *what.generation == record.generation) return Done();
  return Fail(Kind::kConflict,
              "'" + what.path.Text() + "' has generation " + std::to_string(record.generation));
}

// The recorded command, to be run whatever its path holds now. How that is said here is not kept:
// the new record has the command as its caller sent it.
Result<CommandPtr> Anew(const store::FlightRecord& record, const PathBody& what) {
  SHEAF_ASSIGN(Json json, command::ParseJson(record.from.command));
  Json& sink = json["sink"];
  sink["path"] = what.path.ToJson();
  sink["reuse"] = "never";
  sink["tier"] = command::TierName(record.tier);
  sink["if_generation"] = record.generation;
  if (what.ttl_s.has_value()) sink["ttl_s"] = *what.ttl_s;
  SHEAF_ASSIGN(const auto parsed, Command::FromJson(json));
  auto command = std::make_shared<Command>(*parsed);
  command->recorded = record.from.command;
  return CommandPtr(std::move(command));
}

Result<TaskId> ReadTask(ObjectReader& read) {
  SHEAF_ASSIGN(auto text, read.RequiredString("task"));
  return TaskId{std::move(text)};
}

}  // namespace

Json FlightJson(const store::FlightRecord& record) {
  Json inputs = Json::array();
  for (const auto& used : record.from.inputs) {
    inputs.push_back(
        {{"name", used.name}, {"path", used.path.ToJson()}, {"generation", used.generation}});
  }
  Json json{{"path", record.path.ToJson()},
            {"generation", record.generation},
            {"identity", record.from.identity.Hex()},
            {"principal", record.from.principal},
            {"created", ToText(record.created)},
            {"tier", command::TierName(record.tier)},
            {"durable", record.durable},
            {"rows", record.rows},
            {"bytes", record.bytes},
            {"partitions", record.partitions},
            {"pinned", record.pinned},
            {"inputs", std::move(inputs)}};
  json["expires"] = record.expires.has_value() ? Json(ToText(*record.expires)) : Json();
  if (!record.from.command.empty()) {
    json["command"] = Json::parse(record.from.command, nullptr, false);
  }
  return json;
}

Actions::Actions(Engine& engine, cluster::Cluster& cluster) : engine_(engine), cluster_(cluster) {
  AddTaskActions();
  AddFlightActions();
  AddPlaceActions();
}

void Actions::Add(std::string name, std::string description, Function call) {
  actions_[std::move(name)] = {std::move(description), std::move(call)};
}

Answer Actions::Do(std::string_view name, const Json& body, const flights::Context& context) const {
  const auto found = actions_.find(name);
  if (found != actions_.end()) return found->second.call(body, context);
  std::vector<std::string_view> names;
  for (const auto& [known, entry] : actions_) names.push_back(known);
  return Fail(Kind::kUnsupported, core::UnknownWord("action", name, names));
}

void Actions::AddTaskActions() {
  Add("ListTasks", "{} -> one Task a result: the caller's tasks on this node",
      [this](const Json& body, const flights::Context& context) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_TRY(read.Finish());
        return engine_.List(context);
      });
  Add("GetTask", "{\"task\"} -> the Task",
      [this](const Json& body, const flights::Context& context) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_TRY(read.Known({"task"}));
        SHEAF_ASSIGN(const TaskId id, ReadTask(read));
        SHEAF_ASSIGN(Json task, engine_.Describe(id, context));
        return One(std::move(task));
      });
  Add("CancelTask", "{\"task\", \"force\"?} ends the caller's interest in it, or the task",
      [this](const Json& body, const flights::Context& context) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_TRY(read.Known({"task", "force"}));
        SHEAF_ASSIGN(const TaskId id, ReadTask(read));
        SHEAF_ASSIGN(const bool force, read.Boolean("force", false));
        const auto& roles = context.roles;
        if (force && std::find(roles.begin(), roles.end(), "admin") == roles.end()) {
          return Fail(Kind::kForbidden,
                      "\"force\" is an administrator's; without it CancelTask "
                      "ends your own interest");
        }
        SHEAF_TRY(engine_.Cancel(id, context, force ? Engine::Force::kYes : Engine::Force::kNo));
        return One(Json{{"task", id.text}, {"cancelled", true}});
      });
  Add("Explain", "{\"command\"} or {\"task\"} -> the tree: hit, fused, attached or run per node",
      [this](const Json& body, const flights::Context& context) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_TRY(read.Known({"task", "command"}));
        if (read.Has("task")) {
          SHEAF_ASSIGN(const TaskId id, ReadTask(read));
          SHEAF_ASSIGN(Json task, engine_.Describe(id, context));
          return One(std::move(task));
        }
        const Json* command = read.Take("command");
        if (command == nullptr) {
          return Fail(Kind::kInvalid, "the body needs \"command\": {…} or \"task\": \"…\"");
        }
        SHEAF_ASSIGN(auto parsed, Command::FromJson(*command));
        SHEAF_ASSIGN(Json tree, engine_.Explain(parsed, context));
        return One(std::move(tree));
      });
}

void Actions::AddFlightActions() {
  Add("DropFlight", "{\"path\", \"generation\"?} removes a flight",
      [this](const Json& body, const flights::Context& context) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_ASSIGN(const PathBody what, ReadPathBody(body, read));
        SHEAF_TRY(AuthoriseWrite(what.path, context.principal));
        SHEAF_TRY(engine_.SettlePath(what.path, context.cancel));
        SHEAF_TRY(engine_.store().Drop(what.path, what.generation));
        return One(Json{{"path", what.path.ToJson()}, {"dropped", true}});
      });
  Add("PinFlight", "{\"path\", \"generation\"?, \"pinned\"?} keeps it from eviction and expiry",
      [this](const Json& body, const flights::Context& context) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_ASSIGN(const bool pinned, read.Boolean("pinned", true));
        SHEAF_ASSIGN(const PathBody what, ReadPathBody(body, read));
        SHEAF_TRY(AuthoriseWrite(what.path, context.principal));
        SHEAF_ASSIGN(auto record, engine_.store().Pin(what.path, what.generation, pinned));
        return One(FlightJson(*record));
      });
  Add("TouchFlight", "{\"path\", \"generation\"?, \"ttl_s\"?} sets its time to live from now",
      [this](const Json& body, const flights::Context& context) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_ASSIGN(const PathBody what, ReadPathBody(body, read));
        SHEAF_TRY(AuthoriseWrite(what.path, context.principal));
        SHEAF_ASSIGN(auto record, engine_.store().Touch(what.path, what.generation, what.ttl_s));
        return One(FlightJson(*record));
      });
  Add("RefreshFlight", "{\"path\", \"generation\"?, \"ttl_s\"?} runs its recorded command again",
      [this](const Json& body, const flights::Context& context) { return Refresh(body, context); });
  Add("GetFlight", "{\"path\", \"generation\"?} -> the Flight with its lineage",
      [this](const Json& body, const flights::Context&) -> Answer {
        ObjectReader read(body, "body");
        SHEAF_ASSIGN(const PathBody what, ReadPathBody(body, read));
        if (const auto made = engine_.own().At(what.path); made && !what.generation) {
          return One({{"path", what.path.ToJson()}, {"own", true}, {"command", made->ToJson()}});
        }
        auto found = engine_.store().Lookup(what.path);
        if (!found.has_value()) {
          return Fail(Kind::kNotFound, "no flight at '" + what.path.Text() + "'");
        }
        SHEAF_TRY(CheckGeneration(what, *found->record));
        return One(FlightJson(*found->record));
      });
}

void Actions::AddPlaceActions() {
  Add("GetLocations", "{\"descriptor\", \"for\": \"get\" or \"put\"} -> the nodes to ask",
      [this](const Json& body, const flights::Context& context) {
        return Locations(body, context);
      });
  for (const auto* name : {"StartParallelUpload", "FinishParallelUpload", "AbortParallelUpload"}) {
    Add(name, "not on this server yet: upload by one DoPut",
        [name](const Json&, const flights::Context&) -> Answer {
          return Fail(Kind::kUnsupported, std::string(name) +
                                              " is not supported by this version; upload by one "
                                              "DoPut");
        });
  }
}

// Runs the recorded command anew and waits for its commit.
Answer Actions::Refresh(const Json& body, const flights::Context& context) {
  ObjectReader read(body, "body");
  SHEAF_ASSIGN(const PathBody what, ReadPathBody(body, read));
  SHEAF_TRY(AuthoriseWrite(what.path, context.principal));
  const auto found = engine_.store().Lookup(what.path);
  if (!found.has_value()) {
    return Fail(Kind::kNotFound, "no flight at '" + what.path.Text() + "'");
  }
  const auto& record = *found->record;
  SHEAF_TRY(CheckGeneration(what, record));
  if (record.from.command.empty()) {
    return Fail(Kind::kInvalid,
                "'" + what.path.Text() + "' was uploaded: there is no command to run again");
  }
  SHEAF_ASSIGN(const auto command, Anew(record, what));
  SHEAF_ASSIGN(auto submission, engine_.Submit(command, context, Hold::kCall));
  Event ended;
  Status outcome;
  auto registration = context.cancel.OnCancel(
      [&] { engine_.EndInterest(submission, context.cancel.Check().error()); });
  submission.run->ended.Wait();
  SHEAF_TRY(context.cancel.Check());
  const auto fresh = engine_.store().Lookup(what.path);
  SHEAF_ASSIGN(auto task, engine_.Describe(submission.run->id, context));
  if (task.contains("error")) {
    engine_.Wait(submission, [&](Status status) { outcome = std::move(status); });
    SHEAF_TRY(std::move(outcome));
  }
  if (!fresh.has_value()) return Fail(Kind::kNotFound, "the flight was dropped meanwhile");
  return One(FlightJson(*fresh->record));
}

Answer Actions::Locations(const Json& body, const flights::Context&) {
  ObjectReader read(body, "body");
  const Json* descriptor = read.Take("descriptor");
  SHEAF_ASSIGN(const auto purpose, read.String("for", "get"));
  SHEAF_TRY(read.Finish());
  if (purpose != "get" && purpose != "put") return read.Bad("for", "\"get\" or \"put\"");
  if (descriptor == nullptr || !descriptor->is_object()) {
    return Fail(Kind::kInvalid, "the body needs \"descriptor\": {\"path\": […]} or a command");
  }
  std::vector<NodeId> ids;
  if (descriptor->contains("path")) {
    SHEAF_ASSIGN(const Path path, Path::FromJson((*descriptor)["path"], "descriptor.path"));
    ids = purpose == "put" ? std::vector<NodeId>{cluster_.membership().self()}
                           : cluster_.catalog().Replicas(path);
    if (ids.empty()) return Fail(Kind::kNotFound, "no node has '" + path.Text() + "'");
  } else {
    SHEAF_ASSIGN(auto command, Command::FromJson(*descriptor));
    ids = cluster_.services().Where(command->service);
    if (ids.empty()) {
      return Fail(Kind::kUnknownService, "no node runs the service '" + command->service + "'");
    }
  }
  std::vector<Json> answer;
  for (const auto& node : cluster_.membership().Nodes()) {
    if (std::find(ids.begin(), ids.end(), node.id) == ids.end()) continue;
    answer.push_back({{"node", node.name}, {"flight", node.flight_uri}, {"http", node.http_uri}});
  }
  return answer;
}

}  // namespace sheaf::tasks
