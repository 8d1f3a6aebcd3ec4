#include "sheaf/host/chronicle/writer.h"

#include <algorithm>
#include <utility>

namespace sheaf::chronicle {
namespace {

using persistence::ChangeSet;
using persistence::Work;

constexpr size_t kTogether = 256;
constexpr int kNumbersTried = 16;

void AddLeaving(const Leaving& one, ChangeSet& change) {
  if (!one.live.has_value()) return;
  change.removed.push_back(*one.live);
  change.unlinked.push_back(one.task);
}

// What has left is not to become live any more.
void Forget(const Leaving& one, ChangeSet& live) {
  if (!one.live.has_value()) return;
  std::erase_if(live.put, [&](const auto& put) { return put.first == *one.live; });
  std::erase_if(live.linked, [&](const auto& linked) { return linked.first == one.task; });
}

bool IsTaken(const Error& error) {
  return error.kind == Kind::kConflict && !persistence::IsOwnershipLost(error);
}

}  // namespace

// What becomes live is refused before what ends: then ends are written all the same, and what of
// them was to become live no longer is.
Status Writer::Make(Writing& writing) {
  Status live;
  if (!writing.live.empty()) {
    live = Change(writing.live);
    if (!live.ok() && live.error().kind != Kind::kBackpressure) return live;
    if (live.ok()) writing.live = {};
  }
  auto& leaving = writing.leaving;
  while (!leaving.empty()) {
    const size_t count = std::min(leaving.size(), kTogether);
    SHEAF_TRY(count == 1 ? LeaveOne(leaving.front()) : Leave(std::span(leaving).subspan(0, count)));
    for (size_t at = 0; at < count; ++at) {
      left_(leaving[at].task);
      Forget(leaving[at], writing.live);
    }
    leaving.erase(leaving.begin(), leaving.begin() + static_cast<ptrdiff_t>(count));
  }
  return writing.live.empty() ? Done() : live;
}

Status Writer::Change(const ChangeSet& change) {
  SHEAF_TRY(history_.Change(epoch_, change));
  changed_(change);
  return Done();
}

Status Writer::Leave(std::span<Leaving> some) {
  std::vector<Work> works;
  ChangeSet change;
  for (const Leaving& one : some) {
    works.push_back(one.work);
    AddLeaving(one, change);
  }
  if (auto saved = history_.Save(epoch_, works); !saved.ok()) {
    if (!IsTaken(saved.error()) && saved.error().kind != Kind::kInvalid) return saved.error();
    for (Leaving& one : some) SHEAF_TRY(LeaveOne(one));  // To see which of them it is.
    return Done();
  }
  if (!change.empty()) SHEAF_TRY(Change(change));
  probe_.written.Add(static_cast<double>(some.size()));
  return Done();
}

Status Writer::LeaveOne(Leaving& one) {
  ChangeSet change;
  AddLeaving(one, change);
  for (int tried = 0;; ++tried) {
    Status done;
    if (change.empty()) {
      if (auto saved = history_.Save(epoch_, std::span(&one.work, 1)); !saved.ok()) {
        done = saved.error();
      }
    } else if (auto saved = history_.Finish(epoch_, one.work, change); !saved.ok()) {
      done = saved.error();
    }
    if (done.ok()) break;
    if (IsTaken(done.error()) && tried < kNumbersTried) {
      SHEAF_TRY(Renumber(one));
      continue;
    }
    if (done.error().kind != Kind::kInvalid) return done;
    probe_.unwritable.Increment();
    log_.Error("a run cannot be written to history",
               {{"task", one.task}, {"reason", done.error().message}});
    return change.empty() ? Done() : Change(change);
  }
  if (!change.empty()) changed_(change);
  probe_.written.Increment();
  return Done();
}

// Another server of the same database has used the number meanwhile.
Status Writer::Renumber(Leaving& one) {
  SHEAF_ASSIGN(const auto newest, history_.Newest(persistence::WorkType::kJob, 1));
  SetNumber(one.work, std::max(newest.empty() ? 0 : newest.front().id, one.work.id) + 1);
  return Done();
}

}  // namespace sheaf::chronicle
