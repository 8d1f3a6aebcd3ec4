// A Deadline is an instant by which something must be over, or never.
#pragma once

#include <algorithm>
#include <optional>

#include "sheaf/base/time/clock.h"

namespace sheaf::time {

// A value. The default is never.
class Deadline {
 public:
  Deadline() = default;
  static Deadline Never() { return {}; }
  static Deadline At(Instant instant) { return Deadline(instant); }
  static Deadline After(const Clock& clock, Duration wait) {
    // Saturates: a wait of years is never, not an overflow.
    constexpr Duration kLong = std::chrono::hours(24 * 365 * 10);
    return wait >= kLong ? Never() : Deadline(clock.Now() + wait);
  }

  bool never() const { return !at_.has_value(); }
  std::optional<Instant> at() const { return at_; }
  bool Passed(Instant now) const { return at_.has_value() && now >= *at_; }
  // What is left; Duration::max() when never.
  Duration Left(Instant now) const {
    return at_ ? std::max(*at_ - now, Duration(0)) : Duration::max();
  }
  // The earlier of two.
  Deadline Or(Deadline other) const {
    if (never()) return other;
    if (other.never()) return *this;
    return *at_ < *other.at_ ? *this : other;
  }

 private:
  explicit Deadline(Instant at) : at_(at) {}
  std::optional<Instant> at_;
};

}  // namespace sheaf::time

namespace sheaf {
using time::Deadline;
}  // namespace sheaf
