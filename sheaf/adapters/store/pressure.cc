#include "sheaf/adapters/store/pressure.h"

#include <algorithm>
#include <limits>

#include "sheaf/adapters/store/errors.h"

namespace sheaf::store {
namespace {

constexpr int kRoundsMax = 4;  // Others take what one round frees; then it is their turn to wait.
// When a budget is exceeded a little more is freed, so that not every write has to ask again.
constexpr int64_t kSlackPart = 16;
constexpr Bytes kUnlimited{std::numeric_limits<int64_t>::min() / 4};

// What is to be freed so that `more` fits, and the slack with it; how much room there is when
// negative.
Bytes Excess(const Account& account, Bytes more) {
  if (account.limit().count == 0) return kUnlimited;
  const Bytes excess = account.used() + more - account.limit();
  if (excess.count <= 0) return excess;
  return excess + Bytes{account.limit().count / kSlackPart};
}

EvictionItem ItemOf(Body& body) {
  const Standing& standing = body.standing();
  EvictionItem item;
  item.generation = body.generation();
  item.last_used = Instant(Duration(standing.last_used_nanos.load()));
  item.memory = body.memory_bytes();
  item.disk = {static_cast<int64_t>(body.file_bytes())};
  item.writing = !body.complete() && !body.ended();
  item.named = standing.paths.load() > 0;
  item.upload = standing.uploads.load() > 0;
  item.pinned = standing.pins.load() > 0;
  item.former = !item.named && standing.was_named.load();
  item.read_to_end = standing.read_to_end.load();
  item.may_spill = body.MaySpill() && !standing.spill_failed.load();
  item.handles = standing.handles.load();
  item.readers = standing.readers.load();
  return item;
}

}  // namespace

bool Pressure::Fits(const Account& account, Bytes more) const {
  return account.limit().count == 0 || account.used() + more <= account.limit();
}

void Pressure::Spill(Body& body) {
  const Status spilled = body.Spill();
  if (spilled.ok()) return;
  body.standing().spill_failed = true;
  context_.log.Warn("flight not spilled", {{"generation", static_cast<int64_t>(body.generation())},
                                           {"error", spilled.error().message}});
}

bool Pressure::RunRound(Bytes memory_more, Bytes disk_more) {
  EvictionFacts facts;
  facts.memory_excess = Excess(*context_.memory, memory_more);
  facts.disk_excess = Excess(*context_.disk, disk_more);
  if (facts.memory_excess.count <= 0 && facts.disk_excess.count <= 0) return false;
  for (const BodyPtr& body : context_.Living()) facts.items.push_back(ItemOf(*body));
  const std::vector<EvictionAction> actions = DecideEviction(facts);
  std::vector<uint64_t> evicted;
  for (const EvictionAction& action : actions) {
    if (action.what == EvictionAction::What::kEvict) evicted.push_back(action.generation);
  }
  if (!evicted.empty()) doors_.evict(evicted);
  int64_t gone = static_cast<int64_t>(evicted.size());
  for (const EvictionAction& action : actions) {
    const BodyPtr body = context_.Find(action.generation);
    if (body == nullptr) continue;
    switch (action.what) {
      case EvictionAction::What::kForget:
        doors_.forget(action.generation);
        ++gone;
        break;
      case EvictionAction::What::kDiscard:
        if (body->Discard()) ++gone;
        break;
      case EvictionAction::What::kSpill: Spill(*body); break;
      case EvictionAction::What::kEvict: break;
    }
  }
  evicted_ += gone;
  context_.probe.evicted.Add(static_cast<double>(gone));
  return !actions.empty();
}

Status Pressure::MakeMemory(Body& body, Bytes bytes) {
  if (Fits(*context_.memory, bytes)) return Done();
  MutexLock lock(mutex_);
  for (int round = 0; round < kRoundsMax && !Fits(*context_.memory, bytes); ++round) {
    if (!RunRound(bytes, {})) break;
  }
  if (Fits(*context_.memory, bytes)) return Done();
  if (!body.MaySpill()) return errors::MemoryFull(context_.memory->limit());
  // Memory is full of what may not move: what is written now goes to the disk.
  if (!Fits(*context_.disk, body.memory_bytes())) return errors::DiskFull(context_.disk->limit());
  return body.Spill();
}

Status Pressure::MakeDisk(Bytes bytes) {
  if (Fits(*context_.disk, bytes)) return Done();
  MutexLock lock(mutex_);
  for (int round = 0; round < kRoundsMax && !Fits(*context_.disk, bytes); ++round) {
    if (!RunRound({}, bytes)) break;
  }
  if (!Fits(*context_.disk, bytes)) return errors::DiskFull(context_.disk->limit());
  return Done();
}

void Pressure::Relieve() {
  MutexLock lock(mutex_);
  for (int round = 0; round < kRoundsMax; ++round) {
    if (!RunRound({}, {})) return;
  }
}

}  // namespace sheaf::store
