// ResourceState: nodes, their shares, and what is asked of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/ports/persistence/epoch.h"
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {

using Node = records::Record<records::kRmnodes>;
using Share = records::Record<records::kRmshares>;
using Load = records::Record<records::kRmload>;

struct ShareKey {
  std::string node;
  int64_t ducc_dbid = 0;
  int64_t job_id = 0;
  auto operator<=>(const ShareKey&) const = default;
};
ShareKey KeyOf(const Share& share);

// What may change of a share; what is not given stays.
struct ShareChange {
  std::optional<std::string> state;
  std::optional<int64_t> pid, init_time, investment;
};
// Only ever set: there is no verb that clears one.
enum class ShareFlag : uint8_t { kFixed, kPurged, kEvicted };
// "fixed", "purged", "evicted": the column.
std::string_view ShareFlagName(ShareFlag flag);

enum class Present : uint8_t { kYes, kNo };

// Sorted by their keys.
struct Resources {
  std::vector<Node> nodes;
  std::vector<Share> shares;
  std::vector<Load> load;
  bool operator==(const Resources&) const = default;
};

struct Provisioning {
  enum class Verdict : uint8_t { kUnder, kSufficient, kOver } verdict = Verdict::kSufficient;
  std::string reason;       // A sentence with the numbers.
  int64_t shares_free = 0;  // On nodes that can be given.
  int64_t shares_total = 0;
  int64_t shares_wanted = 0;  // Demand that nothing occupies yet.
};
std::string_view VerdictName(Provisioning::Verdict verdict);
// Under: more is wanted than is free. Over: nothing is wanted and more than half is free.
Provisioning Judge(const Resources& resources);

// A ResourceState keeps what the resource managers see now.
//
// A node belongs to the scope that put it, and its shares with it; a load to the scope that set it.
// A scope changes what is its own: kConflict names another's. shares_left, assignments and
// np_assignments of a node are counted from its shares, in the transaction that changes them;
// what a caller says of them does not matter.
//
// Owner, threads, blocking, repetition and errors: as WorkHistory. Epochs of any scope.
class ResourceState {
 public:
  virtual ~ResourceState() = default;

  // A new generation of the scope: what it had is replaced by this, and readers see the one or the
  // other whole. Returns its number, which grows; 0 when it waits for a database that is away.
  virtual Result<int64_t> Begin(const Epoch& epoch, const Resources& resources) = 0;
  virtual Status PutNodes(const Epoch& epoch, std::span<const Node> nodes) = 0;
  // kNotFound without its node, kConflict when another share has its key; the same is no error.
  virtual Status AddShare(const Epoch& epoch, const Share& share) = 0;
  // Only if present: a late update brings nothing back.
  virtual Result<Present> UpdateShare(const Epoch& epoch, const ShareKey& key,
                                      const ShareChange& change) = 0;
  virtual Result<Present> MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag) = 0;
  virtual Result<Present> RemoveShare(const Epoch& epoch, const ShareKey& key) = 0;
  // The load of the scope becomes exactly this.
  virtual Status SetLoad(const Epoch& epoch, std::span<const Load> load) = 0;

  virtual Result<Resources> Read() = 0;  // Of one instant.
  virtual Result<Node> Machine(std::string_view name) = 0;
};

}  // namespace sheaf::persistence
