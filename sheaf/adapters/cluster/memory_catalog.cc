#include "sheaf/adapters/cluster/memory_catalog.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

namespace sheaf::cluster {

struct CatalogRecord {
  Schema schema;  // Shared with every entry of an equal schema.
  uint64_t generation;
  int64_t rows, bytes, created;
  int64_t expires;  // kNever = does not.
  size_t hash;
  uint32_t partitions;
  uint16_t key_size;  // At most 16 * 255 + 15.
  uint8_t identity_size;
  Tier tier : 4;
  bool pinned : 1;
  // The key and the identity follow.

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  const char* tail() const { return reinterpret_cast<const char*>(this + 1); }
  char* tail() { return reinterpret_cast<char*>(this + 1); }
  std::string_view key() const { return {tail(), key_size}; }
  std::string_view identity() const { return {tail() + key_size, identity_size}; }
};

void FreeRecord::operator()(CatalogRecord* record) const {
  record->~CatalogRecord();
  ::operator delete(record);
}

namespace {

// Path::Key() without an allocation for the usual path.
class KeyText {
 public:
  explicit KeyText(const Path& path) {
    size_t size = path.parts().size() - 1;
    for (const auto& part : path.parts()) size += part.size();
    if (size > small_.size()) {
      large_ = path.Key();
      view_ = large_;
      return;
    }
    char* to = small_.data();
    for (const auto& part : path.parts()) {
      if (to != small_.data()) *to++ = '\0';
      to = std::copy(part.begin(), part.end(), to);
    }
    view_ = {small_.data(), size};
  }
  KeyText(const KeyText&) = delete;
  KeyText& operator=(const KeyText&) = delete;
  std::string_view view() const { return view_; }

 private:
  std::array<char, 256> small_;
  std::string large_;
  std::string_view view_;
};

size_t HashOf(std::string_view key) { return std::hash<std::string_view>()(key); }

CatalogRecordPtr MakeRecord(std::string_view key, const CatalogEntry& entry) {
  SHEAF_CHECK(key.size() <= std::numeric_limits<uint16_t>::max());
  SHEAF_CHECK(entry.identity.raw.size() <= std::numeric_limits<uint8_t>::max());
  void* memory = ::operator new(sizeof(CatalogRecord) + key.size() + entry.identity.raw.size());
  CatalogRecordPtr record(new (memory) CatalogRecord{
      .schema = entry.schema,
      .generation = entry.generation,
      .rows = entry.rows,
      .bytes = entry.bytes,
      .created = entry.created.micros,
      .expires = entry.expires ? entry.expires->micros : CatalogRecord::kNever,
      .hash = HashOf(key),
      .partitions = entry.partitions,
      .key_size = static_cast<uint16_t>(key.size()),
      .identity_size = static_cast<uint8_t>(entry.identity.raw.size()),
      .tier = entry.tier,
      .pinned = entry.pinned});
  std::memcpy(record->tail(), key.data(), key.size());
  std::memcpy(record->tail() + key.size(), entry.identity.raw.data(), entry.identity.raw.size());
  return record;
}

CatalogEntry EntryOf(const CatalogRecord& record) {
  CatalogEntry entry;
  entry.generation = record.generation;
  entry.schema = record.schema;
  entry.rows = record.rows;
  entry.bytes = record.bytes;
  entry.created = {record.created};
  if (record.expires != CatalogRecord::kNever) entry.expires = WallTime{record.expires};
  entry.tier = record.tier;
  entry.pinned = record.pinned;
  entry.partitions = record.partitions;
  entry.identity.raw = record.identity();
  return entry;
}

}  // namespace

bool MemoryCatalog::ByKey::operator()(const CatalogRecordPtr& a, const CatalogRecordPtr& b) const {
  return a->key() < b->key();
}
bool MemoryCatalog::ByKey::operator()(const CatalogRecordPtr& a, std::string_view b) const {
  return a->key() < b;
}
bool MemoryCatalog::ByKey::operator()(std::string_view a, const CatalogRecordPtr& b) const {
  return a < b->key();
}

MemoryCatalog::Slot* MemoryCatalog::Shard::Find(size_t hash, std::string_view key) {
  if (slots.empty()) return nullptr;
  const size_t mask = slots.size() - 1;
  for (size_t at = hash & mask; slots[at].record != nullptr; at = (at + 1) & mask) {
    if (slots[at].hash == hash && slots[at].record->key() == key) return &slots[at];
  }
  return nullptr;
}

void MemoryCatalog::Shard::Put(CatalogRecord* record) {
  if (Slot* same = Find(record->hash, record->key())) {
    same->record = record;
    return;
  }
  if (slots.empty() || (used + 1) * 3 > slots.size() * 2) Grow();
  const size_t mask = slots.size() - 1;
  size_t at = record->hash & mask;
  while (slots[at].record != nullptr) at = (at + 1) & mask;
  slots[at] = {record, record->hash};
  ++used;
}

void MemoryCatalog::Shard::Remove(CatalogRecord* record) {
  Slot* found = Find(record->hash, record->key());
  SHEAF_CHECK(found != nullptr && found->record == record);
  const size_t mask = slots.size() - 1;
  size_t hole = static_cast<size_t>(found - slots.data());
  for (size_t at = (hole + 1) & mask; slots[at].record != nullptr; at = (at + 1) & mask) {
    const size_t home = slots[at].hash & mask;
    // It may move into the hole unless its home lies between the hole and itself.
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      slots[hole] = slots[at];
      hole = at;
    }
  }
  slots[hole] = {};
  --used;
}

void MemoryCatalog::Shard::Grow() {
  std::vector<Slot> old(slots.empty() ? 16 : slots.size() * 2);
  old.swap(slots);
  const size_t mask = slots.size() - 1;
  for (const Slot& slot : old) {
    if (slot.record == nullptr) continue;
    size_t at = slot.hash & mask;
    while (slots[at].record != nullptr) at = (at + 1) & mask;
    slots[at] = slot;
  }
}

MemoryCatalog::MemoryCatalog(NodeId self, size_t entries_max, std::function<Revision()> written)
    : self_(std::move(self)), entries_max_(entries_max), written_(std::move(written)) {}

MemoryCatalog::~MemoryCatalog() = default;

Result<Revision> MemoryCatalog::Commit(const Path& path, CatalogEntry entry) {
  entry.schema = schemas_.Intern(entry.schema);
  const std::string key = path.Key();
  CatalogRecordPtr record = MakeRecord(key, entry);
  MutexLock order(order_mutex_);
  auto at = order_.lower_bound(std::string_view(key));
  const bool known = at != order_.end() && (*at)->key() == key;
  if (known && (*at)->generation > entry.generation) {
    return Fail(Kind::kConflict, "the catalog knows generation " +
                                     std::to_string((*at)->generation) + " of " + path.Text() +
                                     ", newer than " + std::to_string(entry.generation));
  }
  if (!known && order_.size() >= entries_max_) {
    return Fail(Kind::kExhausted,
                "the catalog is full (limit " + std::to_string(entries_max_) + " paths)");
  }
  Shard& shard = ShardOf(record->hash);
  {
    MutexLock lock(shard.mutex);
    shard.Put(record.get());
  }
  if (known) at = order_.erase(at);  // Nobody can reach it: lookups find the new one.
  order_.insert(at, std::move(record));
  size_.store(order_.size(), std::memory_order_relaxed);
  return written_();
}

Result<Revision> MemoryCatalog::Drop(const Path& path, uint64_t generation) {
  MutexLock order(order_mutex_);
  const auto at = order_.find(std::string_view(path.Key()));
  if (at == order_.end()) return Fail(Kind::kNotFound, "no flight at " + path.Text());
  if ((*at)->generation != generation) {
    return Fail(Kind::kConflict, path.Text() + " is at generation " +
                                     std::to_string((*at)->generation) + ", not " +
                                     std::to_string(generation));
  }
  Shard& shard = ShardOf((*at)->hash);
  {
    MutexLock lock(shard.mutex);
    shard.Remove(at->get());
  }
  order_.erase(at);
  size_.store(order_.size(), std::memory_order_relaxed);
  return written_();
}

std::optional<CatalogEntry> MemoryCatalog::Lookup(const Path& path) const {
  const KeyText key(path);
  const size_t hash = HashOf(key.view());
  Shard& shard = ShardOf(hash);
  MutexLock lock(shard.mutex);
  const Slot* found = shard.Find(hash, key.view());
  if (found == nullptr) return std::nullopt;
  return EntryOf(*found->record);
}

std::vector<std::pair<Path, CatalogEntry>> MemoryCatalog::List(const Path& prefix,
                                                               const Path& after,
                                                               size_t limit) const {
  std::vector<std::pair<Path, CatalogEntry>> page;
  const std::string below = prefix.empty() ? "" : prefix.Key();
  const std::string last = after.empty() ? "" : after.Key();
  // NUL joins the parts and is in none of them: what lies below a path follows it in one run.
  const auto is_below = [&](std::string_view key) {
    return below.empty() ||
           (key.starts_with(below) && (key.size() == below.size() || key[below.size()] == '\0'));
  };
  MutexLock order(order_mutex_);
  auto at = last >= below && !last.empty() ? order_.upper_bound(std::string_view(last))
                                           : order_.lower_bound(std::string_view(below));
  for (; at != order_.end() && page.size() < limit && is_below((*at)->key()); ++at) {
    page.emplace_back(Path::FromKey((*at)->key()), EntryOf(**at));
  }
  return page;
}

std::vector<NodeId> MemoryCatalog::Replicas(const Path& path) const {
  const KeyText key(path);
  const size_t hash = HashOf(key.view());
  Shard& shard = ShardOf(hash);
  MutexLock lock(shard.mutex);
  if (shard.Find(hash, key.view()) == nullptr) return {};
  return {self_};
}

}  // namespace sheaf::cluster
