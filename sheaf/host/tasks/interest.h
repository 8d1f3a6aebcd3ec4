// Who wants a run, and for how long: the pure core of sharing.
#pragma once

#include <optional>
#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::tasks {

// What holds an interest up.
enum class Hold : uint8_t {
  kCall,    // A call that is waiting or streaming: ends with the call.
  kClaim,   // An answered FlightInfo or POLL: lives for a window, renewed by use.
  kParent,  // Another run that reads this one: ends with that run.
};

// One caller's interest in one run. A value; the engine keeps it under its lock.
struct Interest {
  InterestId id;
  std::string principal;
  int32_t priority = 5;
  Hold hold = Hold::kCall;
  bool keeps = false;   // It has a sink: it lives until the run ends.
  bool waits = false;   // A call waits for the answer at this moment.
  bool opened = false;  // An endpoint was opened once.
  int32_t readers = 0;
  Duration claim_window = std::chrono::seconds(30);
  Duration retain = std::chrono::seconds(60);
  Instant claim_until{};
  Deadline deadline;
  std::optional<store::CommitTarget> target;
  std::optional<Error> sink_error;  // Set at the commit when this caller's sink was refused.
};

enum class Verdict : uint8_t { kLives, kExpired, kDeadline };

// What `now` means for the interest.
Verdict Judge(const Interest& interest, bool run_ended, Instant now);
// A call became an answer: the claim window begins.
void Answered(Interest& interest, Instant now);
void Renewed(Interest& interest, bool run_ended, Instant now);
void Opened(Interest& interest);
void Closed(Interest& interest, bool run_ended, Instant now);
// A result that nobody opened waits for that; an opened one, and an error, are kept for `retain`.
enum class Ending : uint8_t { kResult, kError };
void RunEnded(Interest& interest, Ending ending, Instant now);

}  // namespace sheaf::tasks
