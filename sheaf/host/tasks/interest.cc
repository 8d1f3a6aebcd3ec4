#include "sheaf/host/tasks/interest.h"

#include <algorithm>
#include <utility>

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
  const Duration window = run_ended && interest.opened ? interest.retain : interest.claim_window;
  interest.claim_until = std::max(interest.claim_until, now + window);
}

void Opened(Interest& interest) {
  interest.opened = true;
  ++interest.readers;
}

void Closed(Interest& interest, bool run_ended, Instant now) {
  --interest.readers;
  // Not the later of this and the claim window: that was for what nobody has opened. A retain of
  // nothing is single use: read once, gone.
  const bool ends = run_ended || interest.retain == Duration(0);
  interest.claim_until = now + (ends ? interest.retain : interest.claim_window);
}

void RunEnded(Interest& interest, Ending ending, Instant now) {
  if (ending == Ending::kError && std::exchange(interest.waits, false)) {
    // Its call is told the error now and reads nothing: nobody else would end the interest.
    if (interest.hold == Hold::kCall) interest.hold = Hold::kClaim;
  }
  // An error of a run that keeps nothing must still be heard once.
  const bool told = ending == Ending::kError && interest.retain > Duration(0);
  if (interest.opened || told) {
    interest.claim_until = now + interest.retain;
  } else {
    interest.claim_until = std::max(interest.claim_until, now + interest.claim_window);
  }
}

}  // namespace sheaf::tasks
