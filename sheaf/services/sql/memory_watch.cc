#include "sheaf/services/sql/memory_watch.h"

namespace sheaf::sql {

MemoryWatch::Share::Share(MemoryWatch& watch, Bytes limit) : watch_(watch), limit_(limit) {
  const Bytes now = watch.resident_();
  MutexLock lock(watch.mutex_);
  if (watch.shares_.empty()) {
    watch.baseline_ = now;
    watch.written_ = {};
  }
  place_ = watch.shares_.insert(watch.shares_.end(), this);
  watch.limits_ += limit;
}

MemoryWatch::Share::~Share() {
  MutexLock lock(watch_.mutex_);
  watch_.shares_.erase(place_);
  watch_.limits_ -= limit_;
}

void MemoryWatch::Share::Wrote(Bytes bytes) {
  MutexLock lock(watch_.mutex_);
  watch_.written_ += bytes;
}

bool MemoryWatch::Share::Outgrown() {
  const Bytes now = watch_.resident_();
  MutexLock lock(watch_.mutex_);
  const Bytes allowed = watch_.baseline_ + watch_.limits_ + watch_.written_ + watch_.slack_;
  return now > allowed && watch_.shares_.back() == this;
}

}  // namespace sheaf::sql
