#include "sheaf/host/tasks/interest.h"

#include <algorithm>

namespace sheaf::tasks {

Verdict Judge(const Interest& interest, bool run_ended, Instant now) {
  if (!run_ended && interest.deadline.Passed(now)) return Verdict::kDeadline;
  if (interest.hold != Hold::kClaim || interest.waits || interest.readers > 0) {
    return Verdict::kLives;
  }
  if (!run_ended && interest.keeps) return Verdict::kLives;
  return now < interest.claim_until ? Verdict::kLives : Verdict::kExpired;
}

void Answered(Interest& interest, Instant now) {
  interest.hold = Hold::kClaim;
  interest.waits = false;
  interest.claim_until = std::max(interest.claim_until, now + interest.claim_window);
}

void Renewed(Interest& interest, bool run_ended, Instant now) {
  const Duration window = run_ended && interest.opened
                              ? std::max(interest.retain, interest.claim_window)
                              : interest.claim_window;
  interest.claim_until = std::max(interest.claim_until, now + window);
}

void Opened(Interest& interest) {
  interest.opened = true;
  ++interest.readers;
}

void Closed(Interest& interest, bool run_ended, Instant now) {
  --interest.readers;
  if (interest.retain == Duration(0)) {
    interest.claim_until = now;  // Single use: read once, gone.
  } else {
    Renewed(interest, run_ended, now);
  }
}

void RunEnded(Interest& interest, Instant now) {
  interest.claim_until = std::max(
      interest.claim_until, now + (interest.opened ? interest.retain : interest.claim_window));
}

}  // namespace sheaf::tasks
