// What was done, as a journal keeps it: JSON in CBOR, each with the name of its verb.
#pragma once

#include "sheaf/adapters/persistence/memory_core.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::persistence {

Json RecordOfAcquire(std::string_view scope, std::string_view holder);
Json RecordOfRelease(const Epoch& epoch);
Json RecordOfSave(const Epoch& epoch, std::span<const Work> works);
Json RecordOfRestore(const Epoch& epoch, RestoreMode mode);
Json RecordOfCheckpoint(const Epoch& epoch, const LiveWork& live);
Json RecordOfChange(const Epoch& epoch, const ChangeSet& change);
Json RecordOfFinish(const Epoch& epoch, const Work& work, const ChangeSet& leaving);
Json RecordOfStore(const Epoch& epoch, const Registration& registration);
Json RecordOfSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted);
Json RecordOfState(const Epoch& epoch, int64_t id, const ActiveState& state);
Json RecordOfArchive(const Epoch& epoch, const Registration& last);
Json RecordOfBegin(const Epoch& epoch, const Resources& resources);

// Bytes of a record: JSON's values in CBOR, in which text needs no escapes.
std::string EncodeRecord(const Json& record);
Result<Json> DecodeRecord(std::string_view bytes);  // kCorrupt.

// The epoch it was made under; kInvalid when it has none.
Result<Epoch> EpochOf(const Json& record);

// What a record adds to history and changes of a checkpoint.
struct HistoryPart {
  std::vector<Work> works;
  ChangeSet change;
};
// Of save, change and finish; none of any other verb.
Result<std::optional<HistoryPart>> HistoryPartOf(const Json& record);

// Does it again. kCorrupt: it is malformed, or the state it is done to is not the one it was made
// on.
Status Replay(const Json& record, MemoryCore& core);
// The same to a back end, whose answer is returned; kCorrupt also when the record is malformed.
Status Replay(const Json& record, Persistence& to);

}  // namespace sheaf::persistence
