// Nodes, services and the catalog of flights, asked through one set of interfaces.
//
// Every lookup is served from a view in this process; every write returns a revision. Leases and
// watch come with their first user.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/wire/columnar/batch.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::cluster {

// Grows with every write; a view of at least this revision has seen it.
using Revision = uint64_t;

struct Node {
  NodeId id;
  std::string name;
  std::string flight_uri;  // As clients reach it: "grpc://host:port".
  std::string http_uri;
  std::string version;
  std::vector<std::string> roles;
  enum class State : uint8_t { kStarting, kReady, kDraining } state = State::kStarting;
  WallTime last_seen;
};

// What the catalog announces of a flight: enough to answer GetFlightInfo(path) without asking
// the store. Small: a million of them stay within 300 bytes each.
struct CatalogEntry {
  uint64_t generation = 0;
  Schema schema;  // Shared: flights of one schema share one object (see Catalog::Commit).
  int64_t rows = 0;
  int64_t bytes = 0;
  WallTime created;
  std::optional<WallTime> expires;
  Tier tier = Tier::kDisk;
  bool pinned = false;
  uint32_t partitions = 1;
  Identity identity;  // Empty for an upload.

  // When it goes: never while it is pinned.
  std::optional<WallTime> goes() const { return pinned ? std::nullopt : expires; }
};

// Who is there. Errors: kNotFound (no such node), kInvalid (no id), kExhausted, kDependency.
class Membership {
 public:
  virtual ~Membership() = default;
  // Anew or again: the same id replaces what was said before.
  virtual Result<Revision> Join(Node node) = 0;
  virtual Result<Revision> SetState(const NodeId& id, Node::State state) = 0;
  // What the node offered goes with it.
  virtual Result<Revision> Leave(const NodeId& id) = 0;
  virtual std::vector<Node> Nodes() const = 0;  // By id.
  virtual const NodeId& self() const = 0;
};

// Where which service runs. Errors: kInvalid (no name), kExhausted, kDependency. Offering again
// and withdrawing what is not offered change nothing.
class Services {
 public:
  virtual ~Services() = default;
  virtual Result<Revision> Offer(std::string_view service) = 0;  // On this node.
  virtual Result<Revision> Withdraw(std::string_view service) = 0;
  virtual std::vector<NodeId> Where(std::string_view service) const = 0;
  virtual std::vector<std::string> All() const = 0;  // By name.
};

// Which flights are committed, as the stores announce it. Errors: kConflict, kNotFound (Drop),
// kExhausted, kDependency.
class Catalog {
 public:
  virtual ~Catalog() = default;
  // Announces what this node's store has committed. Schemas that are equal are kept once. The
  // same generation again replaces the entry (a pin, a new time to live); an older one than is
  // known is kConflict: a late announcement never hides a newer flight.
  virtual Result<Revision> Commit(const Path& path, CatalogEntry entry) = 0;
  // kNotFound when nothing is there, kConflict when another generation is.
  virtual Result<Revision> Drop(const Path& path, uint64_t generation) = 0;
  virtual std::optional<CatalogEntry> Lookup(const Path& path) const = 0;
  // The prefix itself and what lies below it, in path order from the first after `after`; empty
  // paths mean everything and from the start.
  virtual std::vector<std::pair<Path, CatalogEntry>> List(const Path& prefix, const Path& after,
                                                          size_t limit) const = 0;
  virtual std::vector<NodeId> Replicas(const Path& path) const = 0;
  virtual size_t size() const = 0;
};

// Owner: main. Threads: every method of every part from any thread. Blocking: writes may wait
// for a store; lookups never.
class Cluster {
 public:
  virtual ~Cluster() = default;
  virtual Membership& membership() = 0;
  virtual Services& services() = 0;
  virtual Catalog& catalog() = 0;
  virtual Revision revision() const = 0;
};

}  // namespace sheaf::cluster
