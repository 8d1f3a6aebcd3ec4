// The port's rules over plain maps: what the memory back end locks and the file back end
// journals.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sheaf/ports/persistence/persistence.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::persistence {

// Every verb of the port, deterministic: the same calls in the same order give the same state.
//
// A value without a lock: its owner has one. A verb that fails has changed nothing.
class MemoryCore {
 public:
  // Everything but resources, as a JSON object of format 1; FromDump gives the same core again, or
  // kCorrupt, kInvalid, kUnsupported.
  Json Dump() const;
  static Result<MemoryCore> FromDump(const Json& json);

  Result<Epoch> Acquire(std::string_view scope, std::string_view holder);
  Result<Epoch> Holder(std::string_view scope) const;
  Status Release(const Epoch& epoch);

  Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works);
  Result<Work> GetWork(WorkType type, int64_t id) const;
  std::vector<Work> Newest(WorkType type, size_t n) const;
  Result<Page<JobSummary>> Jobs(const SummaryQuery& query) const;
  Result<Page<ProcessSummary>> Processes(const SummaryQuery& query) const;
  Result<Page<ReservationSummary>> Reservations(const SummaryQuery& query) const;
  Result<Restored> Restore(const Epoch& epoch, RestoreMode mode);
  Status Checkpoint(const Epoch& epoch, const LiveWork& live);
  Status Change(const Epoch& epoch, const ChangeSet& change);
  Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving);

  Status Store(const Epoch& epoch, const Registration& registration);
  Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted);
  Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state);
  Status Archive(const Epoch& epoch, const Registration& last);
  Result<Registration> GetRegistration(int64_t id) const;
  std::vector<Registration> Live() const;
  std::vector<Registration> Archived() const;

  Result<int64_t> Begin(const Epoch& epoch, const Resources& resources);
  Status PutNodes(const Epoch& epoch, std::span<const Node> nodes);
  Status AddShare(const Epoch& epoch, const Share& share);
  Result<Present> UpdateShare(const Epoch& epoch, const ShareKey& key, const ShareChange& change);
  Result<Present> MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag);
  Result<Present> RemoveShare(const Epoch& epoch, const ShareKey& key);
  Status SetLoad(const Epoch& epoch, std::span<const Load> load);
  Resources Read() const;
  Result<Node> Machine(std::string_view name) const;

 private:
  enum class Start : uint8_t { kNone, kWarm, kCold };
  struct Scope {
    uint64_t number = 0;
    std::string holder;
    Start start = Start::kNone;  // How this epoch was restored.
    LiveWork live;
    uint64_t generation = 0;
    uint64_t changes = 0;
    int64_t resources = 0;  // Generation of resources.
  };
  struct OwnedNode {
    std::string scope;
    Node node;
  };
  struct OwnedLoad {
    std::string scope;
    Load load;
  };
  using Works = std::map<std::pair<WorkType, int64_t>, Work>;

  Status LoadScope(const Json& json);
  Result<Scope*> Own(const Epoch& epoch, bool checkpoint);
  Result<Registration*> LiveOne(int64_t id);
  // Null when there is no such share; the node belongs to the epoch's scope.
  Result<Share*> OwnShare(const Epoch& epoch, const ShareKey& key);
  Status CheckLoad(const Epoch& epoch, std::span<const Load> load) const;
  Status CheckNodes(const Epoch& epoch, std::span<const Node> nodes) const;
  void PutNode(const Epoch& epoch, const Node& node);
  void Recount(const std::string& node);
  static void MakeChange(Scope& scope, const ChangeSet& change);

  std::map<std::string, Scope, std::less<>> scopes_;
  Works works_;
  std::map<int64_t, Registration> live_, archived_;
  std::map<std::string, OwnedNode, std::less<>> nodes_;
  std::map<ShareKey, Share> shares_;
  std::map<int64_t, OwnedLoad> load_;
};

}  // namespace sheaf::persistence
