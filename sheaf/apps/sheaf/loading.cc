#include "sheaf/apps/sheaf/loading.h"

#include <charconv>
#include <utility>

namespace sheaf::app {

using persistence::Loadable;
using persistence::Loaded;

namespace {

// The item's own fault: others are not the worse for it. A disk that is full is nobody's.
bool IsOfTheItem(const Error& error) {
  return error.kind == Kind::kInvalid || error.kind == Kind::kConflict ||
         error.kind == Kind::kCorrupt;
}

// Adds a hash of 64 hexadecimal digits; the order of what is added does not matter.
void AddHash(const std::string& hash, std::array<uint64_t, 4>& sum) {
  constexpr size_t kDigits = 16;
  for (size_t i = 0; i < sum.size(); ++i) {
    uint64_t part = 0;
    const char* from = hash.data() + i * kDigits;
    if (hash.size() == sum.size() * kDigits) std::from_chars(from, from + kDigits, part, 16);
    sum[i] += part;
  }
}

}  // namespace

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kLoaded: return "loaded";
    case Outcome::kDuplicate: return "duplicate";
    case Outcome::kRejected: return "rejected";
    case Outcome::kIgnored: return "ignored";
  }
  __builtin_unreachable();
}

void Loading::Tell(const LoadedItem& item) {
  ++counts_.of[static_cast<size_t>(item.outcome)];
  if (item.item != nullptr) AddHash(item.item->hash, counts_.hashes);
  told_(item);
}

Status Loading::Found(LoadItem item, size_t bytes) {
  if (batch_.size() >= options_.batch_items || batch_bytes_ + bytes > options_.batch_bytes) {
    SHEAF_TRY(Flush());
  }
  batch_.push_back(std::move(item.what));
  notes_.push_back(std::move(item.note));
  batch_bytes_ += bytes;
  return Done();
}

Status Loading::Rejected(const std::string& name, const std::string& reason) {
  Tell({.outcome = Outcome::kRejected, .name = name, .reason = reason});
  return Done();
}

Status Loading::Ignored(const std::string& name, const std::string& reason) {
  Tell({.outcome = Outcome::kIgnored, .name = name, .reason = reason});
  return Done();
}

Result<std::vector<Loaded>> Loading::Ask(std::span<const Loadable> items) {
  if (options_.mode == LoadOptions::Mode::kAsk) return administration_.WouldLoad(items);
  return administration_.Load(items, clock_.Wall().micros / 1000);
}

// A batch that is refused is halved until the refused ones stand alone.
Status Loading::Put(std::span<const Loadable> items, std::span<const std::string> notes) {
  const auto loaded = Ask(items);
  if (loaded.ok()) {
    for (size_t i = 0; i < items.size(); ++i) {
      const bool is_new = (*loaded)[i] == Loaded::kNew;
      Tell({.outcome = is_new ? Outcome::kLoaded : Outcome::kDuplicate,
            .name = items[i].name,
            .reason = notes[i],
            .item = &items[i]});
    }
    return Done();
  }
  if (!IsOfTheItem(loaded.error())) return loaded.error();
  if (items.size() == 1) return Rejected(items[0].name, loaded.error().message);
  const size_t half = items.size() / 2;
  SHEAF_TRY(Put(items.first(half), notes.first(half)));
  return Put(items.subspan(half), notes.subspan(half));
}

Status Loading::Flush() {
  SHEAF_TRY(report_({.what = options_.mode == LoadOptions::Mode::kLoad ? "loading" : "checking",
                     .done = counts_.kept()}));
  if (batch_.empty()) return Done();
  const std::vector<Loadable> batch = std::exchange(batch_, {});
  const std::vector<std::string> notes = std::exchange(notes_, {});
  batch_bytes_ = 0;
  return Put(batch, notes);
}

}  // namespace sheaf::app
