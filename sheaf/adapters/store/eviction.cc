#include "sheaf/adapters/store/eviction.h"

#include <algorithm>
#include <array>
#include <set>

namespace sheaf::store {
namespace {

using What = EvictionAction::What;

bool MayDo(const EvictionItem& item, What what) {
  switch (what) {
    case What::kForget: return item.former && !item.named && !item.writing && item.handles == 0;
    case What::kDiscard:
      return !item.named && !item.former && !item.writing && item.read_to_end && item.readers == 0;
    case What::kSpill: return item.may_spill && item.memory.count > 0;
    case What::kEvict:
      return item.named && !item.upload && !item.pinned && !item.writing && item.handles == 0;
  }
  __builtin_unreachable();
}

bool MayGo(const EvictionItem& item) {
  return MayDo(item, What::kForget) || MayDo(item, What::kDiscard) || MayDo(item, What::kEvict);
}

// The facts while actions are chosen.
class Choice final {
 public:
  explicit Choice(const EvictionFacts& facts)
      : memory_(facts.memory_excess), disk_(facts.disk_excess) {
    for (const EvictionItem& item : facts.items) {
      items_.push_back(&item);
      if (MayGo(item)) reclaimable_ += item.disk;
    }
    std::sort(items_.begin(), items_.end(), [](const EvictionItem* a, const EvictionItem* b) {
      return std::pair(a->last_used, a->generation) < std::pair(b->last_used, b->generation);
    });
  }

  void FreeMemory() {
    for (const What what : {What::kForget, What::kDiscard}) Take(what, &EvictionItem::memory);
    for (const EvictionItem* item : items_) {
      if (memory_.count <= 0) return;
      if (!MayDo(*item, What::kSpill) || gone_.contains(item->generation)) continue;
      // Room for it must be there, or be had from what else may go.
      const Bytes own = MayGo(*item) ? item->disk : Bytes{};
      if (disk_ + item->memory > reclaimable_ - own) continue;
      actions_.push_back({What::kSpill, item->generation});
      spilled_.insert(item->generation);
      reclaimable_ -= own;
      memory_ -= item->memory;
      disk_ += item->memory;
    }
    Take(What::kEvict, &EvictionItem::memory);
  }

  void FreeDisk() {
    for (const What what : {What::kForget, What::kDiscard, What::kEvict}) {
      Take(what, &EvictionItem::disk);
    }
  }

  // Room first, then what needs it.
  std::vector<EvictionAction> Actions() && {
    std::stable_partition(actions_.begin(), actions_.end(),
                          [](const EvictionAction& action) { return action.what != What::kSpill; });
    return std::move(actions_);
  }

 private:
  void Take(What what, Bytes EvictionItem::* kind) {
    Bytes& excess = kind == &EvictionItem::memory ? memory_ : disk_;
    for (const EvictionItem* item : items_) {
      if (excess.count <= 0) return;
      const bool frees = (item->*kind).count > 0 && !spilled_.contains(item->generation);
      if (!frees || !MayDo(*item, what) || !gone_.insert(item->generation).second) continue;
      actions_.push_back({what, item->generation});
      memory_ -= item->memory;
      disk_ -= item->disk;
      reclaimable_ -= item->disk;
    }
  }

  std::vector<const EvictionItem*> items_;
  Bytes memory_;
  Bytes disk_;
  Bytes reclaimable_;  // Disk bytes of what may go and has not.
  std::vector<EvictionAction> actions_;
  std::set<uint64_t> gone_;
  std::set<uint64_t> spilled_;
};

}  // namespace

std::vector<EvictionAction> DecideEviction(const EvictionFacts& facts) {
  Choice choice(facts);
  choice.FreeMemory();
  choice.FreeDisk();
  return std::move(choice).Actions();
}

}  // namespace sheaf::store
