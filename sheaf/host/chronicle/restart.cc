#include "sheaf/host/chronicle/restart.h"

#include <algorithm>
#include <span>
#include <utility>

#include "sheaf/host/chronicle/document.h"

namespace sheaf::chronicle {
namespace {

using persistence::Epoch;
using persistence::LiveWork;
using persistence::RestoreMode;
using persistence::Work;
using persistence::WorkHistory;
using persistence::WorkType;

constexpr size_t kTogether = 256;

Result<LiveWork> Restore(WorkHistory& history, const Epoch& epoch, Start start, Log& log) {
  auto restored = history.Restore(epoch, RestoreMode::kWarm);
  if (!restored.ok()) {
    const Error& error = restored.error();
    if (start != Start::kCold) {
      if (error.kind != Kind::kCorrupt && error.kind != Kind::kUnsupported) return error;
      return Fail(error.kind, "what was running cannot be restored: " + error.message +
                                  "; nothing was changed. Give it up with --cold");
    }
    log.Warn("what was running is given up", {{"reason", error.message}});
    restored = history.Restore(epoch, RestoreMode::kCold);
    if (!restored.ok()) return std::move(restored).error();
  }
  for (const auto& name : restored->set_aside) {
    log.Warn("a part of the checkpoint was set aside", {{"part", name}});
  }
  return std::move(restored->live);
}

// Why an item is not queued again; empty when it is.
std::string WhyNot(const Entry& entry, Start start) {
  if (start == Start::kCold) return "the server was started with --cold";
  if (entry.sinks.empty()) return "its process is gone, and nobody asked to keep its result";
  if (entry.restarts > 0) return "it was queued again once already, and its process ended again";
  return {};
}

class Reader {
 public:
  Reader(WorkHistory& history, const Epoch& epoch, Start start, const Place& place, WallTime now)
      : history_(history), epoch_(epoch), start_(start), place_(place), now_(now) {}

  Result<Found> Run(LiveWork live) {
    SHEAF_ASSIGN(const auto newest, history_.Newest(WorkType::kJob, 1));
    for (const Work& work : newest) found_.last_number = work.id;
    if (!live.items.empty()) {
      found_.last_number = std::max(found_.last_number, live.items.rbegin()->first);
    }
    if (start_ == Start::kAside) {
      found_.live = std::move(live);
    } else {
      for (const auto& [number, text] : live.items) SHEAF_TRY(Account(number, text));
      SHEAF_TRY(Save());
    }
    SHEAF_TRY(history_.Checkpoint(epoch_, found_.live));
    return std::move(found_);
  }

 private:
  Status Account(int64_t number, const std::string& text) {
    const auto known = history_.Get(WorkType::kJob, number);
    if (known.ok() && NodeOf(*known) == place_.node) {
      return Done();  // It was saved, and its removal was cut off.
    }
    if (!known.ok() && known.error().kind != Kind::kNotFound) return known.error();
    // Another server has used the number meanwhile.
    if (known.ok()) number = ++found_.last_number;
    auto entry = DecodeEntry(number, text);
    if (!entry.ok()) {
      const Entry unread{.number = number, .principal = "unknown", .submitted = now_};
      return End(unread, "it cannot be read: " + entry.error().message);
    }
    const std::string why = WhyNot(*entry, start_);
    if (!why.empty()) return End(*entry, why);
    ++entry->restarts;
    found_.live.items.emplace(number, EncodeEntry(*entry));
    found_.again.push_back(std::move(*entry));
    return Done();
  }

  Status End(const Entry& entry, std::string why) {
    ++found_.premature;
    works_.push_back(WorkOf(entry, Premature(now_, std::move(why)), place_));
    return works_.size() < kTogether ? Done() : Save();
  }

  Status Save() {
    if (works_.empty()) return Done();
    SHEAF_TRY(history_.Save(epoch_, works_));
    works_.clear();
    return Done();
  }

  WorkHistory& history_;
  const Epoch& epoch_;
  const Start start_;
  const Place& place_;
  const WallTime now_;
  std::vector<Work> works_;
  Found found_;
};

}  // namespace

Result<Found> ReadBack(WorkHistory& history, const Epoch& epoch, Start start, const Place& place,
                       WallTime now, Log& log) {
  SHEAF_ASSIGN(auto live, Restore(history, epoch, start, log));
  return Reader(history, epoch, start, place, now).Run(std::move(live));
}

}  // namespace sheaf::chronicle
