#include "sheaf/adapters/store/store_core.h"

#include <algorithm>
#include <utility>

#include "sheaf/adapters/store/errors.h"
#include "sheaf/adapters/store/recovery.h"
#include "sheaf/adapters/store/writer.h"

namespace sheaf::store {
namespace {

constexpr uint64_t kGenerationsReserved = 1024;
// More files than this do not stay mapped when nobody reads them.
constexpr int64_t kMappedIdleMax = 1024;
constexpr auto kMappedIdleWait = std::chrono::seconds(30);
constexpr size_t kExpiredAtOnce = 10'000;

// kNotFound or kConflict unless `path` is there at `generation`, if that is given.
Result<Entry> Present(const Draft& draft, const Path& path, std::optional<uint64_t> generation,
                      WallTime now) {
  auto entry = draft.Find(path);
  if (!entry.has_value() || Expired(*entry->record, now)) return errors::NoFlight(path);
  if (generation.has_value() && *generation != entry->record->generation) {
    return errors::GenerationMoved(path, entry->record->generation, *generation);
  }
  return std::move(*entry);
}

FlightRecord MakeRecord(const Body& body, const CommitTarget& target, Tier tier, bool durable,
                        WallTime now) {
  const Flight::Size size = body.size();
  FlightRecord record;
  record.path = target.sink.path;
  record.generation = body.generation();
  record.tier = tier;
  record.created = now;
  if (target.sink.ttl_s.has_value()) {
    record.expires = WallTime{now.micros + *target.sink.ttl_s * 1'000'000};
  }
  record.durable = durable;
  record.rows = size.rows;
  record.bytes = size.bytes;
  record.partitions = body.partitions();
  record.from = target.from;
  return record;
}

}  // namespace

Result<std::unique_ptr<Store>> OpenLocal(LocalStoreOptions options) {
  return LocalStore::Open(std::move(options));
}

Result<std::unique_ptr<Store>> LocalStore::Open(LocalStoreOptions options) {
  auto context = std::make_shared<Context>(options);
  std::unique_ptr<files::DirectoryLock> lock;
  std::unique_ptr<DiskIndex> index;
  if (context->has_disk()) {
    SHEAF_TRY(context->files.CreateDirectories(context->data_directory));
    SHEAF_ASSIGN(lock, context->files.Lock(context->directory));
    SHEAF_ASSIGN(index, OpenDiskIndex(context, options.sqlite_vfs));
  }
  std::unique_ptr<LocalStore> store(
      new LocalStore(context, std::move(lock), std::move(index), options.replaced_ms));
  SHEAF_TRY(store->Start());
  return std::unique_ptr<Store>(std::move(store));
}

LocalStore::LocalStore(ContextPtr context, std::unique_ptr<files::DirectoryLock> lock,
                       std::unique_ptr<DiskIndex> index, std::chrono::milliseconds replaced_ms)
    : context_(std::move(context)),
      lock_(std::move(lock)),
      index_(std::move(index)),
      catalog_(context_->clock, replaced_ms),
      committer_(*context_, catalog_, index_.get()),
      pressure_(*context_,
                {[this](const std::vector<uint64_t>& generations) { Evict(generations); },
                 [this](uint64_t generation) { catalog_.ForgetFormer(generation); }}) {}

Status LocalStore::Start() {
  MutexLock guard(generation_mutex_);
  if (index_ == nullptr) {
    // Nothing is remembered, so the clock tells generations of two lives apart.
    next_generation_ = static_cast<uint64_t>(context_->clock.Wall().micros);
    generations_end_ = UINT64_MAX;
    return Done();
  }
  const Instant began = context_->clock.Now();
  SHEAF_ASSIGN(std::vector<Entry> entries, Recover(*context_, *index_));
  const size_t count = entries.size();
  catalog_.Restore(std::move(entries));
  SHEAF_ASSIGN(next_generation_, index_->ReserveGenerations(kGenerationsReserved));
  generations_end_ = next_generation_ + kGenerationsReserved;
  context_->probe.flights.Set(static_cast<double>(count));
  context_->log.Info("store opened",
                     {{"flights", count},
                      {"ms", std::chrono::duration<double, std::milli>(context_->clock.Now() -
                                                                       began).count()}});
  return Done();
}

LocalStore::~LocalStore() { SHEAF_CHECK(context_->open_writers.load() == 0); }

Result<uint64_t> LocalStore::NextGeneration() {
  MutexLock lock(generation_mutex_);
  if (next_generation_ == generations_end_) {
    uint64_t reserved = 0;
    SHEAF_TRY(committer_.Exclusively([&]() -> Status {
      SHEAF_ASSIGN(reserved, index_->ReserveGenerations(kGenerationsReserved));
      return Done();
    }));
    next_generation_ = reserved;
    generations_end_ = next_generation_ + kGenerationsReserved;
  }
  return next_generation_++;
}

Result<std::unique_ptr<FlightWriter>> LocalStore::OpenWriter(WriterOptions options) {
  if (options.tier == Tier::kObject) return errors::NoObjectTier();
  if (options.partitions == 0) return Fail(Kind::kInvalid, "a flight has one partition or more");
  const bool may_spill = options.spill == WriterOptions::Spill::kAllowed;
  const bool to_file = options.tier == Tier::kDisk && context_->has_disk() && may_spill;
  SHEAF_ASSIGN(const uint64_t generation, NextGeneration());
  Body::Options body;
  body.generation = generation;
  body.schema = std::move(options.schema);
  body.partitions = options.partitions;
  body.place = to_file ? Partition::Place::kFile : Partition::Place::kMemory;
  body.may_spill = may_spill;
  body.memory_max = options.memory_max;
  return std::unique_ptr<FlightWriter>(
      std::make_unique<LocalWriter>(*this, Body::Make(context_, std::move(body))));
}

Result<std::vector<Result<RecordPtr>>> LocalStore::Commit(const BodyPtr& body,
                                                          const std::vector<CommitTarget>& targets,
                                                          const std::function<Status()>& fence) {
  const Instant began = context_->clock.Now();
  Tier tier = Tier::kMemory;
  for (const CommitTarget& target : targets) {
    if (target.sink.tier == Tier::kObject) return errors::NoObjectTier();
    if (context_->has_disk()) tier = std::max(tier, target.sink.tier);
  }
  const bool durable = tier == Tier::kDisk;
  SHEAF_TRY(body->Flush());
  if (durable) {
    SHEAF_TRY(pressure_.MakeDisk(body->memory_bytes()));
    SHEAF_TRY(body->Finish());
  }
  std::vector<Result<RecordPtr>> records;
  const auto decide = [&](Draft& draft) -> Status {
    records.clear();
    const WallTime now = context_->clock.Wall();
    for (const CommitTarget& target : targets) {
      const Path& path = target.sink.path;
      auto there = draft.Find(path);
      if (there.has_value() && Expired(*there->record, now)) there.reset();
      const uint64_t is = there.has_value() ? there->record->generation : 0;
      if (target.sink.if_generation.has_value() && *target.sink.if_generation != is) {
        records.push_back(errors::GenerationMoved(path, is, *target.sink.if_generation));
        continue;
      }
      FlightRecord record = MakeRecord(*body, target, tier, durable, now);
      record.pinned = there.has_value() && there->record->pinned;
      records.push_back(RecordPtr(std::make_shared<const FlightRecord>(std::move(record))));
      draft.Put(path, {*records.back(), body});
    }
    return fence == nullptr ? Done() : fence();
  };
  SHEAF_TRY(committer_.Run(decide, [&] { body->MarkCommitted(); }));
  context_->probe.commits.Increment();
  context_->probe.commit_seconds.Observe(
      std::chrono::duration<double>(context_->clock.Now() - began).count());
  return records;
}

std::optional<Found> LocalStore::Lookup(const Path& path) { return catalog_.Lookup(path); }

Result<FlightPtr> LocalStore::LookupGeneration(const Path& path, uint64_t generation) {
  const Entry found = path.empty()
                          ? Entry{nullptr, context_->Find(generation)}
                          : catalog_.FindGeneration(path, generation).value_or(Entry{});
  if (found.body == nullptr) return errors::Gone(generation);
  if (found.body->standing().damaged.load()) {
    return errors::Damaged(found.record.get(), generation, {});
  }
  return found.body->NewHandle(found.record);
}

std::vector<Found> LocalStore::List(const Path& prefix, const Path& after, size_t limit) {
  return catalog_.List(prefix, after, limit);
}

Status LocalStore::Drop(const Path& path, std::optional<uint64_t> generation) {
  return committer_.Run([&](Draft& draft) -> Status {
    SHEAF_TRY(Present(draft, path, generation, context_->clock.Wall()));
    draft.Remove(path, Former::kKeptForTickets);
    return Done();
  });
}

Result<RecordPtr> LocalStore::Amend(const Path& path, std::optional<uint64_t> generation,
                                    const std::function<void(FlightRecord&)>& change) {
  RecordPtr amended;
  SHEAF_TRY(committer_.Run([&](Draft& draft) -> Status {
    SHEAF_ASSIGN(Entry entry, Present(draft, path, generation, context_->clock.Wall()));
    FlightRecord record = *entry.record;
    change(record);
    amended = std::make_shared<const FlightRecord>(std::move(record));
    draft.Put(path, {amended, entry.body});
    return Done();
  }));
  return amended;
}

Result<RecordPtr> LocalStore::Pin(const Path& path, std::optional<uint64_t> generation,
                                  bool pinned) {
  return Amend(path, generation, [&](FlightRecord& record) { record.pinned = pinned; });
}

Result<RecordPtr> LocalStore::Touch(const Path& path, std::optional<uint64_t> generation,
                                    std::optional<int64_t> ttl_s) {
  return Amend(path, generation, [&](FlightRecord& record) {
    record.expires.reset();
    if (ttl_s.has_value()) {
      record.expires = WallTime{context_->clock.Wall().micros + *ttl_s * 1'000'000};
    }
  });
}

void LocalStore::RemoveExpired() {
  const std::vector<Path> paths = catalog_.ExpiredPaths(kExpiredAtOnce);
  if (paths.empty()) return;
  const Status removed = committer_.Run([&](Draft& draft) -> Status {
    const WallTime now = context_->clock.Wall();
    for (const Path& path : paths) {
      const auto entry = draft.Find(path);
      if (entry.has_value() && Expired(*entry->record, now)) {
        draft.Remove(path, Former::kForgotten);
      }
    }
    return Done();
  });
  if (!removed.ok()) {
    context_->log.Error("expired flights not removed", {{"error", removed.error().message}});
  }
}

void LocalStore::Evict(const std::vector<uint64_t>& generations) {
  const Status removed = committer_.Run([&](Draft& draft) -> Status {
    for (const uint64_t generation : generations) EvictOne(draft, generation);
    return Done();
  });
  if (!removed.ok()) {
    context_->log.Error("flights not evicted", {{"error", removed.error().message}});
  }
}

void LocalStore::EvictOne(Draft& draft, uint64_t generation) const {
  for (const Path& path : catalog_.PathsOf(generation)) {
    const auto entry = draft.Find(path);
    if (!entry.has_value() || entry->record->generation != generation) continue;
    // Somebody may have opened or pinned it meanwhile.
    const Standing& standing = entry->body->standing();
    if (standing.handles.load() > 0 || standing.pins.load() > 0) return;
    draft.Remove(path, Former::kForgotten);
  }
}

void LocalStore::UnmapIdle() {
  if (context_->mapped_files.load() <= kMappedIdleMax) return;
  const Instant long_ago = context_->clock.Now() - kMappedIdleWait;
  for (const BodyPtr& body : context_->Living()) {
    const Standing& standing = body->standing();
    const Instant used(Duration(standing.last_used_nanos.load()));
    if (standing.readers.load() == 0 && used < long_ago) body->Unmap();
  }
}

void LocalStore::Maintain() {
  RemoveExpired();
  catalog_.ForgetFormer();
  pressure_.Relieve();
  UnmapIdle();
  context_->probe.memory_bytes.Set(static_cast<double>(context_->memory->used().count));
  context_->probe.disk_bytes.Set(static_cast<double>(context_->disk->used().count));
}

void LocalStore::MarkRead(uint64_t generation) {
  if (const BodyPtr body = context_->Find(generation); body != nullptr) {
    body->standing().read_to_end = true;
  }
}

Usage LocalStore::usage() const {
  Usage usage;
  usage.memory_used = context_->memory->used();
  usage.memory_limit = context_->memory->limit();
  usage.disk_used = context_->disk->used();
  usage.disk_limit = context_->disk->limit();
  usage.flights = static_cast<int64_t>(catalog_.size());
  usage.open_writers = context_->open_writers.load();
  usage.evicted = pressure_.evicted();
  usage.spilled = context_->spilled.load();
  return usage;
}

void LocalStore::Listen(std::function<void(const Change&)> listener) {
  committer_.Listen(std::move(listener));
}

}  // namespace sheaf::store
