// The flight store: results and uploads, named by paths or not, in memory and on disk.
//
// The store's own index decides what is committed; nothing else does. See docs/formats/store.md
// for what the disk holds.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/ports/store/flight.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::store {

// Where a result came from, for lineage and `if_fresh`. Values.
struct InputUsed {
  std::string name;  // Of the input, dotted for nested ones: "orders", "a.b".
  Path path;
  uint64_t generation = 0;
  bool operator==(const InputUsed&) const = default;
};
struct SourceToken {
  std::string source;  // "file:///data/a.parquet", "flight:raw\0orders"
  std::string token;   // size and mtime, ETag, generation; empty = has none, never fresh.
  bool operator==(const SourceToken&) const = default;
};

// How a flight was made: kept with its record. An upload has neither identity nor command.
struct Provenance {
  Identity identity;
  std::string command;  // Canonical JSON.
  std::string principal;
  std::vector<InputUsed> inputs;
  std::vector<SourceToken> sources;
  bool operator==(const Provenance&) const = default;
};

// What the index says of a committed path. A value; immutable once committed.
struct FlightRecord {
  Path path;
  uint64_t generation = 0;
  Tier tier = Tier::kDisk;
  WallTime created;
  std::optional<WallTime> expires;
  bool pinned = false;
  bool durable = false;
  int64_t rows = 0;
  int64_t bytes = 0;
  uint32_t partitions = 1;
  Provenance from;

  // When it goes: never while it is pinned.
  std::optional<WallTime> goes() const { return pinned ? std::nullopt : expires; }
};
using RecordPtr = std::shared_ptr<const FlightRecord>;  // Shared with the index's readers.

struct Found {
  RecordPtr record;
  FlightPtr flight;
};

// A path under which a writer's flight is to be committed.
struct CommitTarget {
  Sink sink;
  Provenance from;
};

struct WriterOptions {
  Schema schema;
  uint32_t partitions = 1;
  Tier tier = Tier::kMemory;  // The highest that its targets are known to want.
  enum class Spill : uint8_t { kAllowed, kForbidden } spill = Spill::kAllowed;
  std::optional<Bytes> memory_max;  // kExhausted above it when spilling is forbidden.
};

// Writes one flight. Exactly one Commit or Abort ends it; its death without either is an Abort.
//
// Owner: one task or upload. Threads: Write to different partitions may run at once; the rest one
// at a time. Blocking: Write may wait for the disk, Commit for a sync.
// Errors: kExhausted (a stated limit), kDependency (the disk), kConflict (Commit only).
class FlightWriter {
 public:
  virtual ~FlightWriter() = default;
  virtual const FlightPtr& flight() const = 0;
  // Batches must have the writer's schema (kInternal otherwise). They are gathered to 2 MiB or
  // 20 ms, cut to the message limit, and can be read by followers when Write or Flush returned.
  virtual Status Write(uint32_t partition, Batch batch) = 0;
  virtual Status Flush() = 0;  // Hands over what is gathered.
  // Commits the data and, in one transaction of the index, a row per target; then followers see
  // the end. No target: an unnamed flight is complete. Per target its record, or kConflict when
  // `if_generation` does not match: that target alone is left out. When the transaction itself
  // fails all fail, nothing is visible, followers get the error.
  // `fence` is asked under the index's lock just before the transaction; an error aborts.
  virtual Result<std::vector<Result<RecordPtr>>> Commit(std::vector<CommitTarget> targets,
                                                        std::function<Status()> fence) = 0;
  virtual void Abort(Error reason) = 0;
};

struct Usage {
  Bytes memory_used{}, memory_limit{};
  Bytes disk_used{}, disk_limit{};
  int64_t flights = 0;
  int64_t open_writers = 0;
  int64_t evicted = 0;  // Since the start.
  int64_t spilled = 0;
};

// What a listener hears after each change of what is committed. `found` is empty after a removal;
// who keeps its flight, and not only its record, pins the data.
struct Change {
  Path path;
  uint64_t generation = 0;
  std::optional<Found> found;
};

// A Store keeps flights.
//
// Owner: main. Threads: every method from any thread. Blocking: writes of the index wait for a
// sync (group commit shares it); Lookup and List never wait for the disk.
// Errors: kNotFound, kConflict, kExhausted, kDependency (disk away), kCorrupt, kInvalid.
class Store {
 public:
  virtual ~Store() = default;

  // Draws a generation: from one counter kept in the index, never repeated. Writers die before
  // their store; flights, readers and batches may outlive it.
  virtual Result<std::unique_ptr<FlightWriter>> OpenWriter(WriterOptions options) = 0;

  virtual std::optional<Found> Lookup(const Path& path) = 0;
  // Also a generation that was replaced or dropped a moment ago (replaced_ms), for its tickets;
  // kResultGone when it is no longer there, kCorrupt when its data was found damaged. An empty path
  // finds an unnamed flight that somebody still holds.
  virtual Result<FlightPtr> LookupGeneration(const Path& path, uint64_t generation) = 0;
  // In path order, from the first path after `after` (empty = start), expired ones left out.
  virtual std::vector<Found> List(const Path& prefix, const Path& after, size_t limit) = 0;

  // All three: kNotFound when absent; kConflict when `generation` is given and is another. A pin
  // belongs to the path, goes over to the generation that replaces it, and keeps it from expiry.
  virtual Status Drop(const Path& path, std::optional<uint64_t> generation) = 0;
  virtual Result<RecordPtr> Pin(const Path& path, std::optional<uint64_t> generation,
                                bool pinned) = 0;
  // Sets the time to live anew from now; no value = for ever.
  virtual Result<RecordPtr> Touch(const Path& path, std::optional<uint64_t> generation,
                                  std::optional<int64_t> ttl_s) = 0;

  // Removes what expired, frees what was replaced, evicts to the budgets. Called by the host
  // each second and by the store itself when a budget is exceeded.
  virtual void Maintain() = 0;
  // Marks an unnamed flight as read to its end: it may be evicted first, and although handles on
  // it live; opening it again is then kResultGone.
  virtual void MarkRead(uint64_t generation) = 0;
  virtual Usage usage() const = 0;
  // Replays every committed flight to `listener`, then calls it after each change, in order, on
  // the changing thread. One listener; it must not call the store.
  virtual void Listen(std::function<void(const Change&)> listener) = 0;
};

}  // namespace sheaf::store
