// The index in memory: which path names what. Answers without ever waiting for the disk.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sheaf/adapters/store/body.h"
#include "sheaf/base/async/async.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::store {

// A committed path. A value; both parts shared with whoever looks.
struct Entry {
  RecordPtr record;
  BodyPtr body;
};

// What becomes of the generation that a path named before.
enum class Former : uint8_t {
  kKeptForTickets,  // Replaced or dropped: its tickets work for a while.
  kForgotten,       // Expired or evicted.
};

// One path from one state to the next. A value.
struct Edit {
  Path path;
  std::optional<Entry> before;
  std::optional<Entry> now;
  Former former = Former::kKeptForTickets;
};

inline bool Expired(const FlightRecord& record, WallTime now) {
  return record.goes().has_value() && *record.goes() <= now;
}

// Owner: the store. Threads: any; Apply by the index's leader alone. Blocking: never long.
class Catalog final {
 public:
  Catalog(Clock& clock, std::chrono::milliseconds replaced_ms)
      : clock_(clock), replaced_ms_(replaced_ms) {}

  // Expired ones too, for the index's decisions.
  std::optional<Entry> Find(const Path& path) const;
  std::optional<Found> Lookup(const Path& path) const;
  std::vector<Found> List(const Path& prefix, const Path& after, size_t limit) const;
  // The body that `path` names or named as this generation a moment ago.
  std::optional<Entry> FindGeneration(const Path& path, uint64_t generation) const;
  // Of an unnamed flight or one to be evicted: every path that names it.
  std::vector<Path> PathsOf(uint64_t generation) const;
  std::vector<Path> ExpiredPaths(size_t limit) const;
  size_t size() const;

  // Makes the edits visible, all at once, and tells what changed. Bodies that nobody names any
  // more die before it returns, outside the lock.
  std::vector<Change> Apply(const std::vector<Edit>& edits);
  // Of the index on disk, at start.
  void Restore(std::vector<Entry> entries);
  std::vector<Change> Everything() const;

  // Forgets former generations whose time is over; or this one, before its time.
  void ForgetFormer();
  void ForgetFormer(uint64_t generation);

 private:
  using Map = std::map<std::string, Entry, std::less<>>;
  struct Kept {
    Entry entry;
    Instant until;
  };
  void Put(const std::string& key, const Entry& entry) SHEAF_REQUIRES(mutex_);
  void Erase(const std::string& key) SHEAF_REQUIRES(mutex_);
  Found ToFound(const Entry& entry) const SHEAF_REQUIRES(mutex_);

  Clock& clock_;  // Borrowed from main.
  const std::chrono::milliseconds replaced_ms_;
  mutable Mutex mutex_;
  Map by_key_ SHEAF_GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, Map::iterator> by_hash_ SHEAF_GUARDED_BY(mutex_);
  std::set<std::pair<WallTime, std::string>> expiring_ SHEAF_GUARDED_BY(mutex_);
  std::multimap<uint64_t, std::string> by_generation_ SHEAF_GUARDED_BY(mutex_);
  std::map<std::pair<uint64_t, std::string>, Kept> former_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::store
