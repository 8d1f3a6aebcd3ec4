#include "sheaf/ports/persistence/checkpoint.h"

#include <charconv>
#include <functional>

#include "sheaf/wire/command/json.h"
#include "sheaf/wire/records/row.h"

namespace sheaf::persistence {
namespace {

constexpr int64_t kFormat = 1;
constexpr command::JsonLimits kLimits{
    .bytes_max = size_t{1} << 32, .depth_max = 8, .values_max = size_t{1} << 28};

Error Malformed(std::string_view what) {
  return Fail(Kind::kCorrupt, "a checkpoint: " + std::string(what));
}

Status CheckText(std::string_view text) {
  if (records::IsUtf8(text)) return Done();
  return Fail(Kind::kInvalid, "a checkpoint's text is not UTF-8");
}

Result<int64_t> ParseId(std::string_view text) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return Malformed("an id");
  return id;
}

Result<Json> Parse(std::string_view text) {
  auto json = command::ParseJson(text, kLimits);
  if (!json.ok()) return Malformed(json.error().message);
  if (!json->is_object() || !json->contains("format") || !json->at("format").is_number_integer()) {
    return Malformed("no format");
  }
  if (json->at("format") != kFormat) {
    return Fail(Kind::kUnsupported, "a checkpoint of format " + json->at("format").dump() +
                                        ", this program reads " + std::to_string(kFormat));
  }
  return json;
}

// The member of this name, of this type; absent is malformed.
Result<const Json*> Member(const Json& json, const char* name, Json::value_t type) {
  const auto found = json.find(name);
  if (found == json.end() || found->type() != type) return Malformed(name);
  return &*found;
}

Status ReadItems(const Json& object, const std::function<void(int64_t, const std::string&)>& take) {
  for (const auto& [key, value] : object.items()) {
    SHEAF_ASSIGN(const int64_t id, ParseId(key));
    if (!value.is_string()) return Malformed("an item is no text");
    take(id, value.get_ref<const std::string&>());
  }
  return Done();
}

Status ReadLinks(const Json& object, const std::function<void(const std::string&, int64_t)>& take) {
  for (const auto& [key, value] : object.items()) {
    if (!value.is_number_integer()) return Malformed("a process without an id");
    take(key, value.get<int64_t>());
  }
  return Done();
}

}  // namespace

// The later word about a key counts, whether it puts or removes.
void Join(ChangeSet& change, ChangeSet then) {
  const auto join = [](auto& put, auto& removed, auto& later_put, auto& later_removed) {
    const auto drop = [&](const auto& key) {
      std::erase_if(put, [&](const auto& each) { return each.first == key; });
      std::erase(removed, key);
    };
    for (auto& each : later_put) {
      drop(each.first);
      put.push_back(std::move(each));
    }
    for (auto& key : later_removed) {
      drop(key);
      removed.push_back(std::move(key));
    }
  };
  join(change.put, change.removed, then.put, then.removed);
  join(change.linked, change.unlinked, then.linked, then.unlinked);
}

void ApplyChange(const ChangeSet& change, LiveWork& live) {
  for (const auto& [id, text] : change.put) live.items[id] = text;
  for (const int64_t id : change.removed) live.items.erase(id);
  for (const auto& [process, id] : change.linked) live.process_to_job[process] = id;
  for (const auto& process : change.unlinked) live.process_to_job.erase(process);
}

Result<EncodedBase> EncodeBase(const LiveWork& live) {
  Json items = Json::object(), processes = Json::object();
  for (const auto& [id, text] : live.items) {
    SHEAF_TRY(CheckText(text));
    items[std::to_string(id)] = text;
  }
  for (const auto& [process, id] : live.process_to_job) {
    SHEAF_TRY(CheckText(process));
    processes[process] = id;
  }
  return EncodedBase{Json{{"format", kFormat}, {"items", std::move(items)}}.dump(),
                     Json{{"format", kFormat}, {"processes", std::move(processes)}}.dump()};
}

Result<LiveWork> DecodeBase(std::string_view work, std::string_view process_to_job) {
  LiveWork live;
  SHEAF_ASSIGN(const Json first, Parse(work));
  SHEAF_ASSIGN(const Json* items, Member(first, "items", Json::value_t::object));
  SHEAF_TRY(ReadItems(*items, [&](int64_t id, const std::string& text) { live.items[id] = text; }));
  SHEAF_ASSIGN(const Json second, Parse(process_to_job));
  SHEAF_ASSIGN(const Json* processes, Member(second, "processes", Json::value_t::object));
  SHEAF_TRY(ReadLinks(*processes, [&](const std::string& process, int64_t id) {
    live.process_to_job[process] = id;
  }));
  return live;
}

Result<std::string> EncodeChange(const ChangeSet& change) {
  Json put = Json::object(), linked = Json::object();
  for (const auto& [id, text] : change.put) {
    SHEAF_TRY(CheckText(text));
    put[std::to_string(id)] = text;
  }
  for (const auto& [process, id] : change.linked) {
    SHEAF_TRY(CheckText(process));
    linked[process] = id;
  }
  for (const auto& process : change.unlinked) SHEAF_TRY(CheckText(process));
  return Json{{"format", kFormat},
              {"put", std::move(put)},
              {"removed", change.removed},
              {"linked", std::move(linked)},
              {"unlinked", change.unlinked}}
      .dump();
}

Result<ChangeSet> DecodeChange(std::string_view text) {
  ChangeSet change;
  SHEAF_ASSIGN(const Json json, Parse(text));
  SHEAF_ASSIGN(const Json* put, Member(json, "put", Json::value_t::object));
  SHEAF_TRY(ReadItems(
      *put, [&](int64_t id, const std::string& item) { change.put.emplace_back(id, item); }));
  SHEAF_ASSIGN(const Json* linked, Member(json, "linked", Json::value_t::object));
  SHEAF_TRY(ReadLinks(*linked, [&](const std::string& process, int64_t id) {
    change.linked.emplace_back(process, id);
  }));
  SHEAF_ASSIGN(const Json* removed, Member(json, "removed", Json::value_t::array));
  for (const Json& id : *removed) {
    if (!id.is_number_integer()) return Malformed("an id");
    change.removed.push_back(id.get<int64_t>());
  }
  SHEAF_ASSIGN(const Json* unlinked, Member(json, "unlinked", Json::value_t::array));
  for (const Json& process : *unlinked) {
    if (!process.is_string()) return Malformed("a process");
    change.unlinked.push_back(process.get<std::string>());
  }
  return change;
}

}  // namespace sheaf::persistence
