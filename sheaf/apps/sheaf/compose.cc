#include "sheaf/apps/sheaf/compose.h"

#include <cctype>
#include <set>
#include <utility>

#include "sheaf/apps/sheaf/paths.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

std::string_view Trimmed(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// A number, true, false, null or "quoted" as JSON reads it; anything else is text.
Json ValueOf(std::string_view text) {
  auto json = command::ParseJson(text);
  if (json.ok() && !json->is_structured()) return std::move(json).value();
  return std::string(text);
}

// All positional, or all named.
Result<Json> ParamsOf(const std::vector<std::string>& params) {
  Json list = Json::array();
  Json named = Json::object();
  for (const std::string& param : params) {
    const size_t sign = param.find('=');
    bool word = sign != std::string::npos && sign > 0 && param[0] != '"';
    for (size_t i = 0; word && i < sign; ++i) {
      word = std::isalnum(static_cast<unsigned char>(param[i])) || param[i] == '_';
    }
    if (word) {
      named[param.substr(0, sign)] = ValueOf(std::string_view(param).substr(sign + 1));
    } else {
      list.push_back(ValueOf(param));
    }
  }
  if (!list.empty() && !named.empty()) {
    return Fail(Kind::kInvalid, "--param: give all by position or all by name (--param name=3)");
  }
  return named.empty() ? list : named;
}

Status AddSink(const ComposeOptions& options, Json& command) {
  Json sink = command.contains("sink") ? command["sink"] : Json::object();
  if (!options.sink.empty()) {
    auto path = ParsePath(options.sink);
    if (!path.ok()) return std::move(path).error().In("--sink");
    sink["path"] = path->ToJson();
  }
  if (!options.reuse.empty()) sink["reuse"] = options.reuse;
  if (!options.tier.empty()) sink["tier"] = options.tier;
  if (options.if_generation) sink["if_generation"] = *options.if_generation;
  if (!options.ttl.empty()) {
    SHEAF_ASSIGN(const Duration ttl, ParseDuration(options.ttl));
    sink["ttl_s"] = std::chrono::duration_cast<std::chrono::seconds>(ttl).count();
  }
  if (sink.empty()) return Done();
  if (!sink.contains("path")) {
    return Fail(Kind::kInvalid,
                "--reuse, --tier, --ttl and --if-generation say how a result is "
                "kept: add --sink namespace/name");
  }
  command["sink"] = std::move(sink);
  return Done();
}

Status AddOptions(const ComposeOptions& options, Json& command) {
  Json added = command.contains("options") ? command["options"] : Json::object();
  if (options.priority) added["priority"] = *options.priority;
  if (options.no_share) added["share"] = false;
  if (!options.deadline.empty()) {
    SHEAF_ASSIGN(const Duration deadline, ParseDuration(options.deadline));
    added["deadline_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count();
  }
  if (!options.retain.empty()) {
    SHEAF_ASSIGN(const Duration retain, ParseDuration(options.retain));
    added["retain_s"] = std::chrono::duration_cast<std::chrono::seconds>(retain).count();
  }
  if (!options.memory.empty()) {
    SHEAF_ASSIGN(const Bytes memory, core::ParseBytes(options.memory));
    added["memory_bytes"] = memory.count;
  }
  if (!added.empty()) command["options"] = std::move(added);
  return Done();
}

Result<Json> BodyOf(const ComposeOptions& options) {
  const std::string_view text = Trimmed(options.text);
  if (text.empty()) {
    return Fail(Kind::kInvalid, "nothing to run: give SQL, --file or - for standard input");
  }
  if (!text.starts_with('{')) {
    Json command{{"service", "sql"}, {"spec", {{"sql", text}}}};
    if (!options.params.empty()) {
      SHEAF_ASSIGN(command["spec"]["params"], ParamsOf(options.params));
    }
    return command;
  }
  SHEAF_ASSIGN(Json command, command::ParseJson(text));
  if (!options.params.empty()) {
    if (!command.contains("spec")) command["spec"] = Json::object();
    SHEAF_ASSIGN(command["spec"]["params"], ParamsOf(options.params));
  }
  return command;
}

}  // namespace

Result<Composed> Compose(const ComposeOptions& options, ReadFile read_file) {
  Composed composed;
  SHEAF_ASSIGN(composed.command, BodyOf(options));
  std::set<std::string> given;
  for (const std::string& text : options.inputs) {
    SHEAF_ASSIGN(NamedInput input, ParseInput(text, read_file));
    if (!given.insert(input.name).second) {
      return Fail(Kind::kInvalid, "--input: '" + input.name + "' is given twice");
    }
    composed.command["inputs"][input.name] = std::move(input.value);
    if (!input.file.empty()) composed.files.push_back(std::move(input.file));
  }
  SHEAF_TRY(AddSink(options, composed.command));
  SHEAF_TRY(AddOptions(options, composed.command));
  return composed;
}

}  // namespace sheaf::app
