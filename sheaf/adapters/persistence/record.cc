#include "sheaf/adapters/persistence/record.h"

#include "sheaf/wire/records/row_json.h"

namespace sheaf::persistence {
namespace {

Json ToJson(const Epoch& epoch) {
  return {{"scope", epoch.scope}, {"number", epoch.number}, {"holder", epoch.holder}};
}
Json Begin(const char* verb, const Epoch& epoch) {
  return {{"verb", verb}, {"epoch", ToJson(epoch)}};
}
// The texts were checked before the core took them.
std::string Text(const ChangeSet& change) { return EncodeChange(change).value(); }

Json Halves(const char* verb, const Epoch& epoch, const Registration& registration) {
  Json record = Begin(verb, epoch);
  record["id"] = registration.id;
  record["submitted"] = records::ToJson(registration.submitted.row());
  record["state"] = records::ToJson(registration.state.row());
  return record;
}

// Reads the members of a record.
class Reading {
 public:
  explicit Reading(const Json& record) : read_(record, "record") {}

  Result<std::string> Verb() { return read_.RequiredString("verb"); }
  Result<std::string> Text(std::string_view key) { return read_.String(key, ""); }
  Result<int64_t> Id() { return read_.Integer("id", 0, INT64_MIN, INT64_MAX); }
  Result<Epoch> TakeEpoch() {
    const Json* json = read_.Take("epoch");
    if (json == nullptr) return read_.Bad("epoch", "an epoch");
    command::ObjectReader epoch(*json, "record.epoch");
    Epoch made;
    SHEAF_ASSIGN(made.scope, epoch.RequiredString("scope"));
    SHEAF_ASSIGN(const int64_t number, epoch.Integer("number", 0, 1, INT64_MAX));
    SHEAF_ASSIGN(made.holder, epoch.String("holder", ""));
    SHEAF_TRY(epoch.Finish());
    made.number = static_cast<uint64_t>(number);
    return made;
  }
  Result<std::vector<Work>> Works() {
    std::vector<Work> works;
    SHEAF_ASSIGN(const auto documents, read_.Strings("works"));
    for (const std::string& document : documents) {
      SHEAF_ASSIGN(Work work, DecodeWork(document));
      works.push_back(std::move(work));
    }
    return works;
  }
  Result<ChangeSet> Change() {
    SHEAF_ASSIGN(const std::string text, read_.RequiredString("change"));
    return DecodeChange(text);
  }
  // Rows of a table of resources, as records.
  template <typename Row>
  Result<std::vector<Row>> Rows(const records::Table& table, std::string_view key) {
    std::vector<Row> rows;
    const Json* json = read_.Take(key);
    if (json == nullptr || !json->is_array()) return read_.Bad(key, "an array");
    for (const Json& each : *json) {
      SHEAF_ASSIGN(const records::Row row, records::RowFromJson(table, each));
      rows.push_back(Row::Of(row));
    }
    return rows;
  }
  Result<Resources> TakeResources() {
    Resources resources;
    SHEAF_ASSIGN(resources.nodes, Rows<Node>(records::kRmnodes, "nodes"));
    SHEAF_ASSIGN(resources.shares, Rows<Share>(records::kRmshares, "shares"));
    SHEAF_ASSIGN(resources.load, Rows<Load>(records::kRmload, "load"));
    return resources;
  }
  template <typename Half>
  Result<Half> OneHalf(const records::Table& table, std::string_view key) {
    const Json* json = read_.Take(key);
    if (json == nullptr) return read_.Bad(key, "an object");
    SHEAF_ASSIGN(const records::Row row, records::RowFromJson(table, *json));
    return Half::Of(row);
  }
  Result<Registration> Both() {
    Registration registration;
    SHEAF_ASSIGN(registration.id, Id());
    SHEAF_ASSIGN(registration.submitted, OneHalf<Submitted>(records::kSmreg, "submitted"));
    SHEAF_ASSIGN(registration.state, OneHalf<ActiveState>(records::kSmmeta, "state"));
    return registration;
  }

 private:
  command::ObjectReader read_;
};

template <typename Core>
Status ReplayLive(const std::string& verb, Reading& read, Core& core) {
  SHEAF_ASSIGN(const Epoch epoch, read.TakeEpoch());
  if (verb == "restore") {
    SHEAF_ASSIGN(const std::string mode, read.Text("mode"));
    SHEAF_TRY(core.Restore(epoch, mode == "cold" ? RestoreMode::kCold : RestoreMode::kWarm));
    return Done();
  }
  if (verb == "checkpoint") {
    SHEAF_ASSIGN(const std::string work, read.Text("work"));
    SHEAF_ASSIGN(const std::string processes, read.Text("processes"));
    SHEAF_ASSIGN(const LiveWork live, DecodeBase(work, processes));
    return core.Checkpoint(epoch, live);
  }
  if (verb == "change") {
    SHEAF_ASSIGN(const ChangeSet change, read.Change());
    return core.Change(epoch, change);
  }
  SHEAF_ASSIGN(const auto works, read.Works());
  if (verb == "save") {
    SHEAF_TRY(core.Save(epoch, works));
    return Done();
  }
  if (verb != "finish" || works.size() != 1) return Fail(Kind::kCorrupt, "no verb " + verb);
  SHEAF_ASSIGN(const ChangeSet change, read.Change());
  SHEAF_TRY(core.Finish(epoch, works[0], change));
  return Done();
}

template <typename Core>
Status ReplayService(const std::string& verb, Reading& read, Core& core) {
  SHEAF_ASSIGN(const Epoch epoch, read.TakeEpoch());
  if (verb == "submitted") {
    SHEAF_ASSIGN(const int64_t id, read.Id());
    SHEAF_ASSIGN(const auto half, read.OneHalf<Submitted>(records::kSmreg, "submitted"));
    return core.UpdateSubmitted(epoch, id, half);
  }
  if (verb == "state") {
    SHEAF_ASSIGN(const int64_t id, read.Id());
    SHEAF_ASSIGN(const auto half, read.OneHalf<ActiveState>(records::kSmmeta, "state"));
    return core.UpdateState(epoch, id, half);
  }
  SHEAF_ASSIGN(const Registration both, read.Both());
  return verb == "store" ? core.Store(epoch, both) : core.Archive(epoch, both);
}

template <typename Core>
Status ReplayVerb(const Json& record, Core& core) {
  Reading read(record);
  SHEAF_ASSIGN(const std::string verb, read.Verb());
  if (verb == "acquire") {
    SHEAF_ASSIGN(const std::string scope, read.Text("scope"));
    SHEAF_ASSIGN(const std::string holder, read.Text("holder"));
    SHEAF_TRY(core.Acquire(scope, holder));
    return Done();
  }
  if (verb == "release") {
    SHEAF_ASSIGN(const Epoch epoch, read.TakeEpoch());
    return core.Release(epoch);
  }
  if (verb == "begin") {
    SHEAF_ASSIGN(const Epoch epoch, read.TakeEpoch());
    SHEAF_ASSIGN(const Resources resources, read.TakeResources());
    SHEAF_TRY(core.Begin(epoch, resources));
    return Done();
  }
  for (const auto* service : {"store", "submitted", "state", "archive"}) {
    if (verb == service) return ReplayService(verb, read, core);
  }
  return ReplayLive(verb, read, core);
}

// The verbs of a whole back end, under the names the memory core has for them.
struct Verbs {
  Persistence& to;
  bool asked = false;  // The record was understood.

  Persistence& Ask() {
    asked = true;
    return to;
  }
  Result<Epoch> Acquire(std::string_view scope, std::string_view holder) {
    return Ask().fencing->Acquire(scope, holder);
  }
  Status Release(const Epoch& epoch) { return Ask().fencing->Release(epoch); }
  Result<Restored> Restore(const Epoch& epoch, RestoreMode mode) {
    return Ask().history->Restore(epoch, mode);
  }
  Status Checkpoint(const Epoch& epoch, const LiveWork& live) {
    return Ask().history->Checkpoint(epoch, live);
  }
  Status Change(const Epoch& epoch, const ChangeSet& change) {
    return Ask().history->Change(epoch, change);
  }
  Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works) {
    return Ask().history->Save(epoch, works);
  }
  Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) {
    return Ask().history->Finish(epoch, work, leaving);
  }
  Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) {
    return Ask().services->UpdateSubmitted(epoch, id, submitted);
  }
  Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) {
    return Ask().services->UpdateState(epoch, id, state);
  }
  Status Store(const Epoch& epoch, const Registration& both) {
    return Ask().services->Store(epoch, both);
  }
  Status Archive(const Epoch& epoch, const Registration& last) {
    return Ask().services->Archive(epoch, last);
  }
  Result<int64_t> Begin(const Epoch& epoch, const Resources& resources) {
    if (Ask().resources != nullptr) return to.resources->Begin(epoch, resources);
    return Fail(Kind::kUnsupported, "this back end keeps no resources");
  }
};

template <typename Row>
Json ToJson(const std::vector<Row>& rows) {
  Json json = Json::array();
  for (const Row& each : rows) json.push_back(records::ToJson(each.row()));
  return json;
}

}  // namespace

Json RecordOfAcquire(std::string_view scope, std::string_view holder) {
  return {{"verb", "acquire"}, {"scope", std::string(scope)}, {"holder", std::string(holder)}};
}
Json RecordOfRelease(const Epoch& epoch) { return Begin("release", epoch); }
Json RecordOfSave(const Epoch& epoch, std::span<const Work> works) {
  Json record = Begin("save", epoch);
  for (const Work& work : works) record["works"].push_back(EncodeWork(work));
  return record;
}
Json RecordOfRestore(const Epoch& epoch, RestoreMode mode) {
  Json record = Begin("restore", epoch);
  record["mode"] = mode == RestoreMode::kCold ? "cold" : "warm";
  return record;
}
Json RecordOfCheckpoint(const Epoch& epoch, const LiveWork& live) {
  Json record = Begin("checkpoint", epoch);
  EncodedBase base = EncodeBase(live).value();
  record["work"] = std::move(base.work);
  record["processes"] = std::move(base.process_to_job);
  return record;
}
Json RecordOfChange(const Epoch& epoch, const ChangeSet& change) {
  Json record = Begin("change", epoch);
  record["change"] = Text(change);
  return record;
}
Json RecordOfFinish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) {
  Json record = Begin("finish", epoch);
  record["works"].push_back(EncodeWork(work));
  record["change"] = Text(leaving);
  return record;
}
Json RecordOfStore(const Epoch& epoch, const Registration& registration) {
  return Halves("store", epoch, registration);
}
Json RecordOfSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) {
  Json record = Begin("submitted", epoch);
  record["id"] = id;
  record["submitted"] = records::ToJson(submitted.row());
  return record;
}
Json RecordOfState(const Epoch& epoch, int64_t id, const ActiveState& state) {
  Json record = Begin("state", epoch);
  record["id"] = id;
  record["state"] = records::ToJson(state.row());
  return record;
}
Json RecordOfArchive(const Epoch& epoch, const Registration& last) {
  return Halves("archive", epoch, last);
}
Json RecordOfBegin(const Epoch& epoch, const Resources& resources) {
  Json record = Begin("begin", epoch);
  record["nodes"] = ToJson(resources.nodes);
  record["shares"] = ToJson(resources.shares);
  record["load"] = ToJson(resources.load);
  return record;
}

std::string EncodeRecord(const Json& record) {
  std::string bytes;
  Json::to_cbor(record, bytes);
  return bytes;
}

Result<Json> DecodeRecord(std::string_view bytes) {
  Json json = Json::from_cbor(bytes, true, false);
  if (json.is_discarded()) return Fail(Kind::kCorrupt, "a record that is no CBOR");
  return json;
}

Result<Epoch> EpochOf(const Json& record) { return Reading(record).TakeEpoch(); }

Result<std::optional<HistoryPart>> HistoryPartOf(const Json& record) {
  Reading read(record);
  SHEAF_ASSIGN(const std::string verb, read.Verb());
  HistoryPart part;
  if (verb != "save" && verb != "finish" && verb != "change") return std::optional<HistoryPart>();
  if (verb != "change") {
    SHEAF_ASSIGN(part.works, read.Works());
  }
  if (verb != "save") {
    SHEAF_ASSIGN(part.change, read.Change());
  }
  return std::optional(std::move(part));
}

Status Replay(const Json& record, Persistence& to) {
  Verbs verbs{to};
  Status done = ReplayVerb(record, verbs);
  if (done.ok() || verbs.asked) return done;
  return Fail(Kind::kCorrupt, "a record of the spool: " + done.error().message);
}

Status Replay(const Json& record, MemoryCore& core) {
  Status done = ReplayVerb(record, core);
  if (done.ok() || done.error().kind == Kind::kUnsupported) return done;
  return Fail(Kind::kCorrupt, "a record of the journal: " + done.error().message);
}

}  // namespace sheaf::persistence
