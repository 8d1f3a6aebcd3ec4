#include "sheaf/host/endpoint/memo.h"

namespace sheaf::endpoint {

std::optional<Remembered> Memo::Find(std::string_view bytes) {
  MutexLock lock(mutex_);
  const auto found = by_bytes_.find(bytes);
  if (found == by_bytes_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->remembered;
}

void Memo::Keep(std::string_view bytes, Remembered remembered) {
  if (bytes.size() > kBytesMax || entries_max_ == 0) return;
  MutexLock lock(mutex_);
  if (by_bytes_.contains(bytes)) return;
  entries_.push_front({std::string(bytes), std::move(remembered)});
  by_bytes_.emplace(entries_.front().bytes, entries_.begin());
  if (entries_.size() <= entries_max_) return;
  by_bytes_.erase(entries_.back().bytes);
  entries_.pop_back();
}

size_t Memo::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace sheaf::endpoint
