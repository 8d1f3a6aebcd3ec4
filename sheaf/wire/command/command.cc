#include "sheaf/wire/command/command.h"

#include <array>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "sheaf/base/core/nearest.h"
#include "sheaf/wire/command/ticket.h"

namespace sheaf::command {
namespace {

constexpr std::array kTiers = {Tier::kMemory, Tier::kDisk, Tier::kObject};
constexpr std::array kReuses = {Reuse::kIfSame, Reuse::kIfFresh, Reuse::kIfExists, Reuse::kNever,
                                Reuse::kOnly};
constexpr std::string_view kStreamInput = "input";  // DoExchange's own.

Error Invalid(const std::string& where, const std::string& why) {
  return Fail(Kind::kInvalid, where.empty() ? why : where + ": " + why);
}

std::string Below(const std::string& where, std::string_view key) {
  return where.empty() ? std::string(key) : where + "." + std::string(key);
}

// The value under `key` among words; nullopt when the key is absent.
template <typename Word, size_t kCount, typename NameOf>
Result<std::optional<Word>> OneOf(ObjectReader& read, std::string_view key,
                                  const std::array<Word, kCount>& words, NameOf name_of) {
  if (!read.Has(key)) {
    read.Take(key);
    return std::optional<Word>();
  }
  SHEAF_ASSIGN(const std::string text, read.RequiredString(key));
  std::array<std::string_view, kCount> names;
  for (size_t i = 0; i < kCount; ++i) {
    if (name_of(words[i]) == text) return std::optional<Word>(words[i]);
    names[i] = name_of(words[i]);
  }
  return Invalid(Below(read.where(), key), core::UnknownWord("value", text, names));
}

// An integer that may be absent.
Result<std::optional<int64_t>> MaybeInteger(ObjectReader& read, std::string_view key, int64_t min,
                                            int64_t max) {
  if (!read.Has(key)) {
    read.Take(key);
    return std::optional<int64_t>();
  }
  SHEAF_ASSIGN(const int64_t value, read.Integer(key, 0, min, max));
  return std::optional<int64_t>(value);
}

Result<std::optional<uint64_t>> MaybeGeneration(ObjectReader& read, std::string_view key) {
  const Json* value = read.Take(key);
  if (value == nullptr) return std::optional<uint64_t>();
  const bool fits =
      value->is_number_unsigned() || (value->is_number_integer() && value->get<int64_t>() >= 0);
  if (!fits) return read.Bad(key, "an integer from 0 up");
  return std::optional<uint64_t>(value->get<uint64_t>());
}

Result<Path> RequiredPath(ObjectReader& read, std::string_view key) {
  const Json* value = read.Take(key);
  if (value == nullptr) return read.Bad(key, "a list of strings");
  return Path::FromJson(*value, Below(read.where(), key));
}

enum class Place : uint8_t { kOutermost, kNested };

Result<Options> ParseOptions(const Json& value, const std::string& where, Place place) {
  Options options;
  ObjectReader read(value, where);
  if (place == Place::kNested) {
    for (const auto* key : {"priority", "deadline_ms"}) {
      if (read.Has(key)) {
        return Invalid(Below(where, key), "only the outermost command may say it");
      }
    }
  }
  SHEAF_ASSIGN(const int64_t priority, read.Integer("priority", options.priority, 0, 9));
  options.priority = static_cast<int32_t>(priority);
  SHEAF_ASSIGN(options.deadline_ms, MaybeInteger(read, "deadline_ms", 1, kSecondsMax * 1000));
  SHEAF_ASSIGN(options.share, read.Boolean("share", options.share));
  options.retain_given = read.Has("retain_s");
  SHEAF_ASSIGN(options.retain_s, read.Integer("retain_s", options.retain_s, 0, kSecondsMax));
  SHEAF_ASSIGN(options.memory_bytes, MaybeInteger(read, "memory_bytes", 1, INT64_MAX));
  SHEAF_TRY(read.Finish());
  if (options.retain_s == 0) options.share = false;
  return options;
}

Json OptionsToJson(const Options& options) {
  const Options fallback;
  Json json = Json::object();
  if (options.priority != fallback.priority) json["priority"] = options.priority;
  if (options.deadline_ms) json["deadline_ms"] = *options.deadline_ms;
  if (options.share != fallback.share) json["share"] = options.share;
  if (options.retain_given || options.retain_s != fallback.retain_s) {
    json["retain_s"] = options.retain_s;
  }
  if (options.memory_bytes) json["memory_bytes"] = *options.memory_bytes;
  return json;
}

// Parses a tree; counts its commands and its depth on the way down.
class TreeParser {
 public:
  Result<std::shared_ptr<const Command>> Parse(const Json& value, const std::string& where,
                                               size_t depth) {
    if (depth > kTreeDepthMax) {
      return Invalid(where, "commands nested deeper than " + std::to_string(kTreeDepthMax));
    }
    if (++commands_ > kTreeCommandsMax) {
      return Invalid(where, "more than " + std::to_string(kTreeCommandsMax) + " commands");
    }
    auto command = std::make_shared<Command>();
    ObjectReader read(value, where);
    SHEAF_TRY(read.Known({"service", "inputs", "spec", "sink", "options"}));
    SHEAF_ASSIGN(command->service, read.RequiredString("service"));
    if (command->service.empty() || command->service.size() > kNameBytesMax) {
      return read.Bad("service", "the name of a service, 1 to 255 bytes");
    }
    if (const Json* inputs = read.Take("inputs"); inputs != nullptr) {
      if (!inputs->is_object()) return read.Bad("inputs", "an object");
      SHEAF_TRY(ParseInputs(*inputs, Below(where, "inputs"), depth, *command));
    }
    if (const Json* spec = read.Take("spec"); spec != nullptr) {
      if (!spec->is_object()) return read.Bad("spec", "an object");
      command->spec = *spec;
    }
    if (const Json* sink = read.Take("sink"); sink != nullptr) {
      SHEAF_ASSIGN(command->sink, Sink::FromJson(*sink, Below(where, "sink")));
    }
    if (const Json* options = read.Take("options"); options != nullptr) {
      const Place place = depth == 1 ? Place::kOutermost : Place::kNested;
      SHEAF_ASSIGN(command->options, ParseOptions(*options, Below(where, "options"), place));
    }
    return std::shared_ptr<const Command>(std::move(command));
  }

 private:
  Status ParseInputs(const Json& inputs, const std::string& where, size_t depth, Command& command) {
    for (const auto& [name, value] : inputs.items()) {
      if (name.empty() || name.size() > kNameBytesMax) {
        return Invalid(where, "the name of an input has 1 to 255 bytes");
      }
      const std::string below = Below(where, name);
      if (name == kStreamInput) {
        return Invalid(below, "the name is reserved for the stream of DoExchange");
      }
      Input& input = command.inputs[name];
      if (value.is_object() && value.contains("service")) {
        SHEAF_ASSIGN(input.command, Parse(value, below, depth + 1));
        continue;
      }
      ObjectReader read(value, below);
      if (value.is_object() && !read.Has("path")) {
        SHEAF_TRY(read.Known({"path", "service", "inputs", "spec", "sink", "options"}));
        return Invalid(below, "expected {\"path\": …} or a command with \"service\"");
      }
      if (value.is_object()) {
        SHEAF_ASSIGN(input.path, RequiredPath(read, "path"));
      }
      SHEAF_TRY(read.Finish());
    }
    return Done();
  }

  size_t commands_ = 0;
};

// A visit of every command of the tree, inputs before the command that reads them, each with the
// identity that it has under `pins`.
using Visitor = std::function<void(const Command&, const std::string& where, const Identity&)>;

Identity Identify(const Command& command, const Pins& pins, const std::string& where,
                  const Visitor& visit) {
  Json inputs = Json::object();
  for (const auto& [name, input] : command.inputs) {
    Json& entry = inputs[name] = Json::object();
    if (input.command != nullptr) {
      const std::string below = visit ? Below(Below(where, "inputs"), name) : std::string();
      entry["identity"] = Identify(*input.command, pins, below, visit).Hex();
    } else {
      const auto pin = pins.find(input.path);
      entry["path"] = input.path.ToJson();
      entry["generation"] = pin == pins.end() ? uint64_t{0} : pin->second;
    }
  }
  // The canonical text of {"inputs", "service", "spec"}, without a copy of the spec.
  const std::string text = "{\"inputs\":" + Canonical(inputs) +
                           ",\"service\":" + Canonical(command.service) +
                           ",\"spec\":" + Canonical(command.spec) + "}";
  Identity identity{Sha256(text)};
  if (visit) visit(command, where, identity);
  return identity;
}

size_t CountSinks(const Command& command) {
  size_t sinks = command.sink ? 1 : 0;
  for (const auto& [name, input] : command.inputs) {
    if (input.command != nullptr) sinks += CountSinks(*input.command);
  }
  return sinks;
}

// retain_s 0 keeps every byte of its tree off the disk and out of the catalog.
Status CheckRetain(const Command& command, const std::string& where) {
  if (command.options.retain_s == 0 && CountSinks(command) > 0) {
    return Invalid(Below(where, "options.retain_s"), "0 allows no sink here or in the inputs");
  }
  for (const auto& [name, input] : command.inputs) {
    if (input.command == nullptr) continue;
    SHEAF_TRY(CheckRetain(*input.command, Below(Below(where, "inputs"), name)));
  }
  return Done();
}

Status CheckSinks(const Command& command) {
  if (CountSinks(command) < 2) return Done();
  struct Found {
    Identity identity;
    std::string where;
  };
  std::map<Path, Found> found;
  std::optional<Error> error;
  Identify(command, {}, "", [&](const Command& node, const std::string& where, const Identity& id) {
    if (!node.sink) return;
    const auto [at, fresh] = found.try_emplace(node.sink->path, Found{id, where});
    if (fresh || at->second.identity == id || error) return;
    error = Invalid(Below(where, "sink.path"), "'" + node.sink->path.Text() +
                                                   "' is also the sink of another command at " +
                                                   Below(at->second.where, "sink.path"));
  });
  if (error) return std::move(*error);
  return Done();
}

Result<Request> ParseTask(const Json& value) {
  ObjectReader read(value, "");
  SHEAF_TRY(read.Known({"task"}));
  SHEAF_ASSIGN(std::string task, read.RequiredString("task"));
  if (task.empty() || task.size() > kNameBytesMax) return read.Bad("task", "the id of a task");
  return Request(TaskRef{{std::move(task)}});
}

Result<Request> ParsePath(const Json& value) {
  PathRef ref;
  ObjectReader read(value, "");
  SHEAF_ASSIGN(ref.path, RequiredPath(read, "path"));
  SHEAF_ASSIGN(ref.generation, MaybeGeneration(read, "generation"));
  SHEAF_TRY(read.Finish());
  return Request(std::move(ref));
}

Result<Request> ParseSink(const Json& value) {
  ObjectReader read(value, "");
  const Json* sink = read.Take("sink");
  SHEAF_TRY(read.Finish());
  SHEAF_ASSIGN(Sink parsed, Sink::FromJson(*sink, "sink"));
  return Request(SinkRef{std::move(parsed)});
}

}  // namespace

std::string_view TierName(Tier tier) {
  switch (tier) {
    case Tier::kMemory: return "memory";
    case Tier::kDisk: return "disk";
    case Tier::kObject: return "object";
  }
  __builtin_unreachable();
}

std::string_view ReuseName(Reuse reuse) {
  switch (reuse) {
    case Reuse::kIfSame: return "if_same";
    case Reuse::kIfFresh: return "if_fresh";
    case Reuse::kIfExists: return "if_exists";
    case Reuse::kNever: return "never";
    case Reuse::kOnly: return "only";
  }
  __builtin_unreachable();
}

Result<Sink> Sink::FromJson(const Json& value, std::string where) {
  Sink sink;
  ObjectReader read(value, std::move(where));
  SHEAF_TRY(read.Known({"path", "reuse", "tier", "ttl_s", "if_generation"}));
  SHEAF_ASSIGN(sink.path, RequiredPath(read, "path"));
  SHEAF_ASSIGN(const auto reuse, OneOf(read, "reuse", kReuses, ReuseName));
  sink.reuse = reuse.value_or(sink.reuse);
  sink.reuse_given = reuse.has_value();
  SHEAF_ASSIGN(const auto tier, OneOf(read, "tier", kTiers, TierName));
  sink.tier = tier.value_or(sink.tier);
  sink.tier_given = tier.has_value();
  SHEAF_ASSIGN(sink.ttl_s, MaybeInteger(read, "ttl_s", 1, kSecondsMax));
  SHEAF_ASSIGN(sink.if_generation, MaybeGeneration(read, "if_generation"));
  return sink;
}

Json Sink::ToJson() const {
  const Sink fallback;
  Json json = {{"path", path.ToJson()}};
  if (reuse_given || reuse != fallback.reuse) json["reuse"] = ReuseName(reuse);
  if (tier_given || tier != fallback.tier) json["tier"] = TierName(tier);
  if (ttl_s) json["ttl_s"] = *ttl_s;
  if (if_generation) json["if_generation"] = *if_generation;
  return json;
}

Result<std::shared_ptr<const Command>> Command::FromJson(const Json& value) {
  SHEAF_ASSIGN(auto command, TreeParser().Parse(value, "", 1));
  SHEAF_TRY(CheckRetain(*command, ""));
  SHEAF_TRY(CheckSinks(*command));
  return command;
}

Result<std::shared_ptr<const Command>> Command::Parse(std::string_view text) {
  SHEAF_ASSIGN(const Json value, ParseJson(text));
  return FromJson(value);
}

Json Command::ToJson() const {
  Json json = {{"service", service}, {"spec", spec}};
  for (const auto& [name, input] : inputs) {
    json["inputs"][name] =
        input.command != nullptr ? input.command->ToJson() : Json{{"path", input.path.ToJson()}};
  }
  if (sink) json["sink"] = sink->ToJson();
  if (Json written = OptionsToJson(options); !written.empty()) json["options"] = std::move(written);
  return json;
}

std::set<Path> InputPaths(const Command& command) {
  std::set<Path> paths;
  for (const auto& [name, input] : command.inputs) {
    if (input.command != nullptr) {
      paths.merge(InputPaths(*input.command));
    } else {
      paths.insert(input.path);
    }
  }
  return paths;
}

Identity IdentityOf(const Command& command, const Pins& pins) {
  return Identify(command, pins, "", {});
}

Result<Request> ParseRequest(std::string_view text) {
  SHEAF_ASSIGN(const Json value, ParseJson(text));
  if (!value.is_object()) {
    return Fail(Kind::kInvalid, std::string("expected an object, found ") + value.type_name());
  }
  static constexpr std::array<std::string_view, 8> kKnown = {
      "service", "spec", "inputs", "options", "sink", "task", "path", "generation"};
  // A command shows itself by any key that only a command has, so that a forgotten one is named.
  for (const auto key : {"service", "spec", "inputs", "options"}) {
    if (!value.contains(key)) continue;
    SHEAF_ASSIGN(auto command, Command::FromJson(value));
    return Request(std::move(command));
  }
  if (value.contains("task")) return ParseTask(value);
  if (value.contains("path")) return ParsePath(value);
  if (value.contains("sink")) return ParseSink(value);
  if (value.empty()) {
    return Fail(Kind::kInvalid,
                "an empty object; expected \"service\", \"task\", \"path\" or \"sink\"");
  }
  return Fail(Kind::kInvalid, core::UnknownWord("key", value.items().begin().key(), kKnown));
}

Json ToJson(const Request& request) {
  struct Printer {
    Json operator()(const std::shared_ptr<const Command>& command) { return command->ToJson(); }
    Json operator()(const TaskRef& ref) { return {{"task", ref.task.text}}; }
    Json operator()(const PathRef& ref) {
      Json json = {{"path", ref.path.ToJson()}};
      if (ref.generation) json["generation"] = *ref.generation;
      return json;
    }
    Json operator()(const SinkRef& ref) { return {{"sink", ref.sink.ToJson()}}; }
  };
  return std::visit(Printer(), request);
}

}  // namespace sheaf::command
