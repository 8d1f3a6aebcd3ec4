// A back end whose writes wait in a spool while its database is away.
#pragma once

#include <functional>

#include "sheaf/adapters/persistence/spool.h"
#include "sheaf/base/observe/log.h"
#include "sheaf/base/observe/metrics.h"
#include "sheaf/base/time/time.h"
#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

struct SpooledOptions {
  SpoolOptions spool;
  // Between two attempts to replay: the longest first wait; doubles each time.
  Duration retry_first = std::chrono::milliseconds(100);
  Duration retry_longest = std::chrono::seconds(10);
};

struct SpooledSurroundings {
  Clock& clock;  // Borrowed from main, as all of these.
  Log& log;
  Metrics& metrics;
  std::function<double()> chance;  // A number of [0, 1).
};

// A write that fails because the database is away (MayPass, or the process stops) is put into the
// spool and answered as done once it is safe there; what is written later waits behind it. Reads
// and Acquire are kDependency meanwhile and say how long and how many; what depends on an answer
// (Restore, single shares and loads) is refused with the database's error. A thread replays in
// order, after growing random waits, and while it has not done all of it reads stay refused. A
// record that is stale then, or refused for good, is set aside in a readable file; a job whose
// number another server took meanwhile gets a new one. Answers of what waits are what is likely:
// kNew, generation 0.
//
// Opening replays what the last process left, before anybody can acquire.
//
// Owner: main. Threads: any. Blocking: as the inner one, and for a sync of the spool's disk.
// Errors: those of the inner one, and kBackpressure (the spool is full); of opening: those of
//   Spool and of the replay, which then goes on where it ended when it is opened again.
Result<Persistence> OpenSpooled(Persistence inner, SpooledOptions options,
                                SpooledSurroundings surroundings);

}  // namespace sheaf::persistence
