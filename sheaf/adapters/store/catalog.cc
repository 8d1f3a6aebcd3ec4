#include "sheaf/adapters/store/catalog.h"

#include <algorithm>

namespace sheaf::store {
namespace {

// Counts a path that names a body in or out of the facts that eviction goes by.
void Count(const Entry& entry, int32_t by) {
  Standing& standing = entry.body->standing();
  standing.paths += by;
  if (entry.record->pinned) standing.pins += by;
  if (entry.record->from.command.empty()) standing.uploads += by;
  if (entry.record->durable) standing.index_rows += by;
  if (by > 0) standing.was_named = true;
}

}  // namespace

Found Catalog::ToFound(const Entry& entry) const {
  return Found{entry.record, entry.body->NewHandle(entry.record)};
}

std::optional<Entry> Catalog::Find(const Path& path) const {
  const std::string key = path.Key();
  MutexLock lock(mutex_);
  const auto found = by_hash_.find(key);
  if (found == by_hash_.end()) return std::nullopt;
  return found->second->second;
}

std::optional<Found> Catalog::Lookup(const Path& path) const {
  const std::string key = path.Key();
  const WallTime now = clock_.Wall();
  MutexLock lock(mutex_);
  const auto found = by_hash_.find(key);
  if (found == by_hash_.end()) return std::nullopt;
  const Entry& entry = found->second->second;
  if (Expired(*entry.record, now)) return std::nullopt;
  return ToFound(entry);
}

std::vector<Found> Catalog::List(const Path& prefix, const Path& after, size_t limit) const {
  const WallTime now = clock_.Wall();
  std::vector<Found> listed;
  MutexLock lock(mutex_);
  // Keys below a prefix lie together, from the prefix itself on.
  auto at = prefix.empty() ? by_key_.begin() : by_key_.lower_bound(prefix.Key());
  if (!after.empty()) {
    const std::string key = after.Key();
    if (at == by_key_.end() || at->first <= key) at = by_key_.upper_bound(key);
  }
  for (; at != by_key_.end() && listed.size() < limit; ++at) {
    const FlightRecord& record = *at->second.record;
    if (!prefix.empty() && !record.path.StartsWith(prefix)) break;
    if (!Expired(record, now)) listed.push_back(ToFound(at->second));
  }
  return listed;
}

std::optional<Entry> Catalog::FindGeneration(const Path& path, uint64_t generation) const {
  const std::string key = path.Key();
  const WallTime wall = clock_.Wall();
  const Instant now = clock_.Now();
  MutexLock lock(mutex_);
  if (const auto found = by_hash_.find(key); found != by_hash_.end()) {
    const Entry& entry = found->second->second;
    if (entry.record->generation == generation) {
      if (Expired(*entry.record, wall)) return std::nullopt;
      return entry;
    }
  }
  const auto kept = former_.find({generation, key});
  if (kept == former_.end() || kept->second.until <= now) return std::nullopt;
  return kept->second.entry;
}

std::vector<Path> Catalog::PathsOf(uint64_t generation) const {
  std::vector<Path> paths;
  MutexLock lock(mutex_);
  const auto [first, last] = by_generation_.equal_range(generation);
  for (auto at = first; at != last; ++at) paths.push_back(Path::FromKey(at->second));
  return paths;
}

std::vector<Path> Catalog::ExpiredPaths(size_t limit) const {
  const WallTime now = clock_.Wall();
  std::vector<Path> paths;
  MutexLock lock(mutex_);
  for (const auto& [expires, key] : expiring_) {
    if (expires > now || paths.size() == limit) break;
    paths.push_back(Path::FromKey(key));
  }
  return paths;
}

size_t Catalog::size() const {
  MutexLock lock(mutex_);
  return by_key_.size();
}

void Catalog::Put(const std::string& key, const Entry& entry) {
  Erase(key);
  const auto [at, added] = by_key_.emplace(key, entry);
  by_hash_.emplace(at->first, at);
  by_generation_.emplace(entry.record->generation, key);
  if (const auto goes = entry.record->goes()) expiring_.emplace(*goes, key);
}

void Catalog::Erase(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const FlightRecord& record = *found->second.record;
  if (const auto goes = record.goes()) expiring_.erase({*goes, key});
  const auto [first, last] = by_generation_.equal_range(record.generation);
  const auto mine = std::find_if(first, last, [&](const auto& row) { return row.second == key; });
  by_generation_.erase(mine);
  by_hash_.erase(found->first);
  by_key_.erase(found);
}

std::vector<Change> Catalog::Apply(const std::vector<Edit>& edits) {
  std::vector<Change> changes;
  std::vector<BodyPtr> let_go;  // Dies after the lock: a body's death removes files.
  const Instant until = clock_.Now() + replaced_ms_;
  MutexLock lock(mutex_);
  for (const Edit& edit : edits) {
    const std::string key = edit.path.Key();
    Change change{edit.path, 0, std::nullopt};
    if (edit.before.has_value()) {
      change.generation = edit.before->record->generation;
      Count(*edit.before, -1);
      let_go.push_back(edit.before->body);
    }
    if (edit.now.has_value()) {
      change.generation = edit.now->record->generation;
      Count(*edit.now, +1);
      Put(key, *edit.now);
      change.found = ToFound(*edit.now);
    } else {
      Erase(key);
    }
    const bool moved =
        edit.before.has_value() && (!edit.now.has_value() || edit.now->body != edit.before->body);
    if (moved && edit.former == Former::kKeptForTickets && replaced_ms_.count() > 0) {
      former_[{edit.before->record->generation, key}] = Kept{*edit.before, until};
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

void Catalog::Restore(std::vector<Entry> entries) {
  MutexLock lock(mutex_);
  by_hash_.reserve(entries.size());
  for (Entry& entry : entries) {
    Count(entry, +1);
    Put(entry.record->path.Key(), entry);
  }
}

std::vector<Change> Catalog::Everything() const {
  std::vector<Change> changes;
  MutexLock lock(mutex_);
  changes.reserve(by_key_.size());
  for (const auto& [key, entry] : by_key_) {
    changes.push_back({entry.record->path, entry.record->generation, ToFound(entry)});
  }
  return changes;
}

void Catalog::ForgetFormer() {
  std::vector<BodyPtr> let_go;  // Dies after the lock.
  const Instant now = clock_.Now();
  MutexLock lock(mutex_);
  for (auto at = former_.begin(); at != former_.end();) {
    if (at->second.until > now) {
      ++at;
      continue;
    }
    let_go.push_back(std::move(at->second.entry.body));
    at = former_.erase(at);
  }
}

void Catalog::ForgetFormer(uint64_t generation) {
  std::vector<BodyPtr> let_go;  // Dies after the lock.
  MutexLock lock(mutex_);
  auto at = former_.lower_bound({generation, std::string()});
  while (at != former_.end() && at->first.first == generation) {
    let_go.push_back(std::move(at->second.entry.body));
    at = former_.erase(at);
  }
}

}  // namespace sheaf::store
