#include "sheaf/host/chronicle/document.h"

#include <algorithm>
#include <utility>

#include "sheaf/wire/command/json.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf::chronicle {
namespace {

using persistence::JobSummary;
using persistence::ProcessSummary;

constexpr int64_t kFormat = 1;
constexpr command::JsonLimits kEntryLimits{
    .bytes_max = 16 << 20, .depth_max = 128, .values_max = 1'000'000};

int64_t Millis(WallTime wall) { return wall.micros / 1000; }

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view ReasonOf(const Ending& ending) {
  switch (ending.way) {
    case Ending::Way::kDone: return "EndOfJob";
    case Ending::Way::kFailed: return "Error";
    case Ending::Way::kCancelled: return "CanceledByUser";
    case Ending::Way::kPremature: return "Premature";
  }
  __builtin_unreachable();
}

std::string DescriptionOf(const Entry& entry) {
  std::string text = entry.command == nullptr ? "?" : entry.command->service;
  for (const auto& [path, keep] : entry.sinks) text += " > " + path.Text();
  return text;
}

JobSummary JobOf(const Entry& entry, const Ending& ending) {
  const bool failed = ending.way == Ending::Way::kFailed;
  const auto items = static_cast<int32_t>(std::min<uint32_t>(ending.partitions, INT32_MAX));
  JobSummary job;
  job.Set<"user">(entry.principal)
      .Set<"class">(ClassOf(entry))
      .Set<"ducc_id">(entry.number)
      .Set<"submission_time">(Millis(entry.submitted))
      .Set<"duration">(std::max<int64_t>(Millis(ending.at) - Millis(entry.submitted), 0))
      .Set<"services">(0)
      .Set<"processes">(entry.started.has_value() ? 1 : 0)
      .Set<"reason">(std::string(ReasonOf(ending)))
      .Set<"init_fails">(0)
      .Set<"run_fails">(failed ? 1 : 0)
      .Set<"errors">(failed ? 1 : 0)
      .Set<"state">("Completed")
      .Set<"total_wi">(items)
      .Set<"done_wi">(ending.way == Ending::Way::kDone ? items : 0)
      .Set<"retries">(entry.restarts)
      .Set<"preemptions">(0)
      .Set<"description">(DescriptionOf(entry));
  if (entry.command != nullptr && entry.command->options.memory_bytes.has_value()) {
    const int64_t gib = (*entry.command->options.memory_bytes + (1 << 30) - 1) >> 30;
    job.Set<"memory">(static_cast<int32_t>(std::min<int64_t>(gib, INT32_MAX)));
  }
  return job;
}

ProcessSummary ProcessOf(const Entry& entry, const Ending& ending, const Place& place) {
  const int64_t start = Millis(*entry.started);
  const int64_t stop = std::max(Millis(ending.at), start);
  ProcessSummary process;
  process.Set<"ducc_id">(entry.number)
      .Set<"share_id">(1)
      .Set<"host">(place.node)
      .Set<"user">(entry.principal)
      .Set<"log">("")
      .Set<"class">(ClassOf(entry))
      .Set<"pid">(place.pid)
      .Set<"start">(start)
      .Set<"stop">(stop)
      .Set<"run_time">(stop - start)
      .Set<"exit_code">(ending.way == Ending::Way::kDone ? 0 : 1)
      .Set<"state_agent">("Stopped")
      .Set<"initialized">(true)
      .Set<"type">("Job");
  return process;
}

std::string DetailOf(const Entry& entry, const Ending& ending, const Place& place) {
  Json sinks = Json::array();
  for (const auto& [path, keep] : entry.sinks) sinks.push_back(path.ToJson());
  Json detail{{"task", entry.task.text}, {"node", place.node}, {"sinks", std::move(sinks)}};
  if (ending.rows >= 0) detail["rows"] = ending.rows;
  if (ending.bytes >= 0) detail["bytes"] = ending.bytes;
  if (ending.error.has_value()) {
    detail["error"] = {{"kind", core::KindName(ending.error->kind)},
                       {"message", ending.error->message}};
  }
  return Text(detail);
}

Result<std::shared_ptr<const Command>> TakeCommand(command::ObjectReader& read) {
  const Json* command = read.Take("command");
  if (command == nullptr) return read.Bad("command", "a command");
  return Command::FromJson(*command);
}

Status ReadSinks(command::ObjectReader& read, Entry& entry) {
  const Json* sinks = read.Take("sinks");
  if (sinks == nullptr || !sinks->is_array()) return read.Bad("sinks", "a list");
  for (const Json& each : *sinks) {
    command::ObjectReader sink(each, "sinks");
    Keep keep;
    SHEAF_ASSIGN(keep.command, TakeCommand(sink));
    SHEAF_ASSIGN(keep.principal, sink.RequiredString("principal"));
    if (!keep.command->sink.has_value()) return sink.Bad("command", "a command with a sink");
    const Path path = keep.command->sink->path;
    entry.sinks.insert_or_assign(path, std::move(keep));
  }
  return Done();
}

}  // namespace

Ending EndingOf(const tasks::RunEnding& run) {
  Ending ending{.error = run.error,
                .at = run.at,
                .rows = run.rows,
                .bytes = run.bytes,
                .partitions = run.partitions};
  if (run.state == tasks::RunState::kCancelled) {
    ending.way = Ending::Way::kCancelled;
  } else if (run.state != tasks::RunState::kCompleted) {
    const bool going = run.error.has_value() && run.error->kind == Kind::kShuttingDown;
    ending.way = going ? Ending::Way::kPremature : Ending::Way::kFailed;
  }
  return ending;
}

Ending Premature(WallTime at, std::string why) {
  return {
      .way = Ending::Way::kPremature, .error = Fail(Kind::kCancelled, std::move(why)), .at = at};
}

std::string ClassOf(const Entry& entry) { return "priority-" + std::to_string(entry.priority); }

persistence::Work WorkOf(const Entry& entry, const Ending& ending, const Place& place) {
  persistence::Work work;
  work.type = persistence::WorkType::kJob;
  work.id = entry.number;
  work.job = JobOf(entry, ending);
  if (entry.started.has_value()) work.processes.push_back(ProcessOf(entry, ending, place));
  if (entry.command != nullptr) work.specification = command::Canonical(entry.command->ToJson());
  work.detail = DetailOf(entry, ending, place);
  return work;
}

std::string NodeOf(const persistence::Work& work) {
  const auto detail = command::ParseJson(work.detail);
  if (!detail.ok() || !detail->is_object() || !detail->contains("node")) return {};
  const Json& node = (*detail)["node"];
  return node.is_string() ? node.get<std::string>() : std::string();
}

std::string EncodeEntry(const Entry& entry) {
  Json sinks = Json::array();
  for (const auto& [path, keep] : entry.sinks) {
    sinks.push_back({{"command", keep.command->ToJson()}, {"principal", keep.principal}});
  }
  Json json{{"format", kFormat},
            {"task", entry.task.text},
            {"command", entry.command->ToJson()},
            {"principal", entry.principal},
            {"priority", entry.priority},
            {"submitted", entry.submitted.micros},
            {"sinks", std::move(sinks)},
            {"restarts", entry.restarts}};
  if (entry.started.has_value()) json["started"] = entry.started->micros;
  return Text(json);
}

Result<Entry> DecodeEntry(int64_t number, std::string_view text) {
  auto json = command::ParseJson(text, kEntryLimits);
  if (!json.ok()) return Fail(Kind::kCorrupt, "a live item is not JSON: " + json.error().message);
  command::ObjectReader read(*json, "item");
  SHEAF_ASSIGN(const int64_t format, read.Integer("format", 0, 1, INT64_MAX));
  if (format != kFormat) {
    return Fail(Kind::kUnsupported, "a live item of format " + std::to_string(format) +
                                        ", this program reads " + std::to_string(kFormat));
  }
  Entry entry{.number = number};
  SHEAF_ASSIGN(entry.task.text, read.RequiredString("task"));
  SHEAF_ASSIGN(entry.command, TakeCommand(read));
  SHEAF_ASSIGN(entry.principal, read.RequiredString("principal"));
  SHEAF_ASSIGN(const int64_t priority, read.Integer("priority", 5, 0, 9));
  entry.priority = static_cast<int32_t>(priority);
  SHEAF_ASSIGN(entry.submitted.micros, read.Integer("submitted", 0, INT64_MIN, INT64_MAX));
  if (read.Has("started")) {
    SHEAF_ASSIGN(const int64_t started, read.Integer("started", 0, INT64_MIN, INT64_MAX));
    entry.started = WallTime{started};
  }
  SHEAF_TRY(ReadSinks(read, entry));
  SHEAF_ASSIGN(const int64_t restarts, read.Integer("restarts", 0, 0, INT32_MAX));
  entry.restarts = static_cast<int32_t>(restarts);
  SHEAF_TRY(read.Finish());
  return entry;
}

}  // namespace sheaf::chronicle
