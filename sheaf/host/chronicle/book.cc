#include "sheaf/host/chronicle/book.h"

#include <algorithm>

#include "sheaf/host/chronicle/document.h"

namespace sheaf::chronicle {
namespace {

using Use = tasks::RunBegan::Use;

// Who asked which service, how urgently: nothing of what it was asked.
std::shared_ptr<const Command> WithoutContent(const Command& command) {
  auto bare = std::make_shared<Command>();
  bare->service = command.service;
  bare->options = command.options;
  return bare;
}

}  // namespace

void Append(Writing& writing, Writing then) {
  SHEAF_CHECK(writing.leaving.empty());
  writing.leaving = std::move(then.leaving);
  Join(writing.live, std::move(then.live));
}

void Book::Began(const tasks::RunBegan& run, Instant now) {
  Standing fresh{.began = now};
  fresh.entry = {.task = run.id,
                 .command = run.use == Use::kSingle ? WithoutContent(*run.command) : run.command,
                 .principal = run.principal,
                 .priority = run.priority,
                 .submitted = run.at,
                 .place = run.place,
                 .use = run.use};
  if (auto old = adopted_.extract(run.id); !old.empty()) {
    fresh.entry.number = old.mapped().number;
    fresh.entry.submitted = old.mapped().submitted;
    fresh.entry.restarts = old.mapped().restarts;
    fresh.live = true;
    put_.insert(run.id);
  } else {
    fresh.entry.number = NewNumber();
    young_.emplace_back(now, run.id);
  }
  standing_.insert_or_assign(run.id, std::move(fresh));
}

void Book::Wanted(const tasks::RunWanted& wanted) {
  const auto found = standing_.find(wanted.id);
  if (found == standing_.end()) return;
  found->second.entry.sinks.try_emplace(wanted.command->sink->path,
                                        Keep{wanted.command, wanted.principal});
  put_.insert(wanted.id);
}

void Book::NoLongerWanted(const TaskId& id, const Path& sink) {
  const auto found = standing_.find(id);
  if (found == standing_.end()) return;
  if (found->second.entry.sinks.erase(sink) > 0 && found->second.live) put_.insert(id);
}

void Book::Executing(const TaskId& id, WallTime at) {
  const auto found = standing_.find(id);
  if (found != standing_.end()) found->second.entry.started = at;
}

void Book::Ended(const tasks::RunEnding& run, Instant now) {
  const auto found = standing_.find(run.id);
  if (found == standing_.end()) return;
  Ending ending = EndingOf(run);
  const Standing& standing = found->second;
  if (standing.entry.use == Use::kSingle && ending.error.has_value()) {
    ending.error->message = "not kept: retain_s is 0";  // It may quote the data.
  }
  if (ending.way == Ending::Way::kPremature && !standing.entry.sinks.empty()) {
    if (put_.contains(run.id)) {
      more_.put.emplace_back(standing.entry.number, EncodeEntry(standing.entry));
      more_.linked.emplace_back(run.id.text, standing.entry.number);
    }
  } else {
    const auto live = standing.live ? std::optional(standing.entry.number) : std::nullopt;
    Leave(standing.entry, ending, live, now);
    // Others wait to write the same path.
    if (!standing.entry.sinks.empty()) leaves_at_ = std::min(leaves_at_, now);
  }
  put_.erase(run.id);
  standing_.erase(found);
}

void Book::Leave(const Entry& entry, const Ending& ending, std::optional<int64_t> live,
                 Instant now) {
  // One that is live still leaves at once: until then a start would take it for unfinished.
  const Instant at = live.has_value() ? now : now + kGroup;
  leaves_at_ = leaving_.empty() ? at : std::min(leaves_at_, at);
  leaving_.push_back({WorkOf(entry, ending, place_), live, entry.task.text});
}

bool Book::Adopt(const TaskId& id, Run run, const Entry& old) {
  const auto found = standing_.find(id);
  if (found == standing_.end()) {
    if (run == Run::kKnown) return false;
    adopted_.insert_or_assign(id, old);
    return true;
  }
  Entry& entry = found->second.entry;
  if (entry.restarts > 0) return false;  // It goes on with another already.
  if (found->second.live) more_.removed.push_back(entry.number);
  entry.number = old.number;
  entry.submitted = old.submitted;
  entry.restarts = old.restarts;
  found->second.live = true;
  put_.insert(id);
  return true;
}

void Book::Put(Writing& writing, const TaskId& id) {
  const auto found = standing_.find(id);
  if (found == standing_.end()) return;
  found->second.live = true;
  const Entry& entry = found->second.entry;
  writing.live.put.emplace_back(entry.number, EncodeEntry(entry));
  writing.live.linked.emplace_back(id.text, entry.number);
}

Writing Book::Take(Instant now, All all) {
  Writing writing;
  writing.live = std::exchange(more_, {});
  for (const TaskId& id : put_) Put(writing, id);
  put_.clear();
  while (!young_.empty() && young_.front().first + kYoung <= now) {
    const auto found = standing_.find(young_.front().second);
    if (found != standing_.end() && !found->second.live) Put(writing, found->first);
    young_.pop_front();
  }
  const bool company = !writing.live.empty() || leaves_at_ <= now;
  if (!leaving_.empty() && (company || all == All::kYes)) writing.leaving.swap(leaving_);
  return writing;
}

std::optional<Instant> Book::due() const {
  if (!put_.empty() || !more_.empty()) return Instant{};
  std::optional<Instant> first;
  const auto at = [&](Instant instant) { first = std::min(first.value_or(instant), instant); };
  if (!leaving_.empty()) at(leaves_at_);
  if (!young_.empty()) at(young_.front().first + kYoung);
  return first;
}

}  // namespace sheaf::chronicle
