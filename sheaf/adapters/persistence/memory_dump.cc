// The whole of a memory core as JSON, and back.
#include <functional>

#include "sheaf/adapters/persistence/memory_core.h"
#include "sheaf/wire/records/row_json.h"

namespace sheaf::persistence {
namespace {

constexpr int64_t kFormat = 1;

Json ToJson(const Registration& registration) {
  return {{"id", registration.id},
          {"submitted", records::ToJson(registration.submitted.row())},
          {"state", records::ToJson(registration.state.row())}};
}

Result<Registration> RegistrationFromJson(const Json& json) {
  command::ObjectReader read(json, "registration");
  Registration made;
  SHEAF_ASSIGN(made.id, read.Integer("id", 0, INT64_MIN, INT64_MAX));
  const Json* submitted = read.Take("submitted");
  const Json* state = read.Take("state");
  SHEAF_TRY(read.Finish());
  if (submitted == nullptr || state == nullptr) return read.Bad("submitted", "an object");
  SHEAF_ASSIGN(const auto first, records::RowFromJson(records::kSmreg, *submitted));
  SHEAF_ASSIGN(const auto second, records::RowFromJson(records::kSmmeta, *state));
  made.submitted = Submitted::Of(first);
  made.state = ActiveState::Of(second);
  return made;
}

Status ReadAll(command::ObjectReader& read, std::string_view key,
               const std::function<Status(const Json&)>& take) {
  const Json* list = read.Take(key);
  if (list == nullptr || !list->is_array()) return read.Bad(key, "a list");
  for (const Json& each : *list) SHEAF_TRY(take(each));
  return Done();
}

Status ReadAll(command::ObjectReader& read, std::string_view key,
               std::map<int64_t, Registration>& into) {
  return ReadAll(read, key, [&](const Json& json) -> Status {
    SHEAF_ASSIGN(Registration one, RegistrationFromJson(json));
    const int64_t id = one.id;
    into.insert_or_assign(id, std::move(one));
    return Done();
  });
}

}  // namespace

Json MemoryCore::Dump() const {
  Json scopes = Json::array(), works = Json::array(), live = Json::array();
  Json archived = Json::array();
  for (const auto& [name, scope] : scopes_) {
    EncodedBase base = EncodeBase(scope.live).value();
    scopes.push_back({{"scope", name},
                      {"number", scope.number},
                      {"holder", scope.holder},
                      {"start", static_cast<int>(scope.start)},
                      {"generation", scope.generation},
                      {"changes", scope.changes},
                      {"work", std::move(base.work)},
                      {"processes", std::move(base.process_to_job)}});
  }
  for (const auto& [key, work] : works_) works.push_back(EncodeWork(work));
  for (const auto& [id, each] : live_) live.push_back(ToJson(each));
  for (const auto& [id, each] : archived_) archived.push_back(ToJson(each));
  return {{"format", kFormat},
          {"scopes", std::move(scopes)},
          {"works", std::move(works)},
          {"live", std::move(live)},
          {"archived", std::move(archived)}};
}

Status MemoryCore::LoadScope(const Json& json) {
  command::ObjectReader read(json, "scope");
  Scope scope;
  SHEAF_ASSIGN(const std::string name, read.RequiredString("scope"));
  SHEAF_ASSIGN(const int64_t number, read.Integer("number", 0, 0, INT64_MAX));
  SHEAF_ASSIGN(scope.holder, read.String("holder", ""));
  SHEAF_ASSIGN(const int64_t start, read.Integer("start", 0, 0, 2));
  SHEAF_ASSIGN(const int64_t generation, read.Integer("generation", 0, 0, INT64_MAX));
  SHEAF_ASSIGN(const int64_t changes, read.Integer("changes", 0, 0, INT64_MAX));
  SHEAF_ASSIGN(const std::string work, read.RequiredString("work"));
  SHEAF_ASSIGN(const std::string processes, read.RequiredString("processes"));
  SHEAF_TRY(read.Finish());
  SHEAF_ASSIGN(scope.live, DecodeBase(work, processes));
  scope.number = static_cast<uint64_t>(number);
  scope.start = static_cast<Start>(start);
  scope.generation = static_cast<uint64_t>(generation);
  scope.changes = static_cast<uint64_t>(changes);
  scopes_.insert_or_assign(name, std::move(scope));
  return Done();
}

Result<MemoryCore> MemoryCore::FromDump(const Json& json) {
  MemoryCore core;
  command::ObjectReader read(json, "base");
  SHEAF_ASSIGN(const int64_t format, read.Integer("format", 0, 0, INT64_MAX));
  if (format != kFormat) {
    return Fail(Kind::kUnsupported, "a base of format " + std::to_string(format) +
                                        ", this program reads " + std::to_string(kFormat));
  }
  SHEAF_TRY(ReadAll(read, "scopes", [&](const Json& each) { return core.LoadScope(each); }));
  SHEAF_TRY(ReadAll(read, "works", [&](const Json& each) -> Status {
    if (!each.is_string()) return Fail(Kind::kCorrupt, "a document that is no text");
    SHEAF_ASSIGN(Work work, DecodeWork(each.get_ref<const std::string&>()));
    const std::pair key(work.type, work.id);
    core.works_.insert_or_assign(key, std::move(work));
    return Done();
  }));
  SHEAF_TRY(ReadAll(read, "live", core.live_));
  SHEAF_TRY(ReadAll(read, "archived", core.archived_));
  SHEAF_TRY(read.Finish());
  return core;
}

}  // namespace sheaf::persistence
