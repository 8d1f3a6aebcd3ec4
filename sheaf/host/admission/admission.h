// The door of host/admission: a tree of tasks takes one slot, or waits, or is turned away.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/base/time/time.h"
#include "sheaf/host/admission/probe.h"
#include "sheaf/host/admission/queue.h"

namespace sheaf::admission {

struct AdmissionOptions {
  size_t running_max = 4;  // Trees that run at once.
  size_t queue_max = 256;  // Waiting trees of one priority.
};

// Owner: main. Threads: any. Blocking: never; `granted` is called on the thread that freed the
// slot, or inside Enter.
// Errors: kBackpressure with {"after_ms"} in its details when the queue of the priority is full or
//   the byte budget is spent.
class Admission final {
 public:
  Admission(AdmissionOptions options, Clock& clock, Metrics& metrics,
            std::shared_ptr<Account> account);

  using Place = SlotQueue::Place;
  Result<Place> Enter(int priority, std::function<void()> granted);
  void Raise(Place place, int priority);
  // Gives the slot back, or leaves the queue; after it `granted` is not called any more, unless
  // it is being called at this moment on another thread.
  void Leave(Place place);
  // Stops granting and refuses entry with kShuttingDown.
  void Close();

  struct Load {
    size_t running = 0;
    size_t waiting = 0;
    size_t running_max = 0;
  };
  Load load() const;

 private:
  struct Entry {
    std::function<void()> granted;
    Instant since;  // Of the entry while it waits, of the grant while it runs.
  };
  void GrantNext();
  int64_t RetryAfterMs() const SHEAF_REQUIRES(mutex_);

  const AdmissionOptions options_;
  Clock& clock_;  // Borrowed from main.
  Probe probe_;
  const std::shared_ptr<Account> account_;  // Shared: the root of the byte budget; may be null.
  mutable Mutex mutex_;
  SlotQueue queue_ SHEAF_GUARDED_BY(mutex_);
  std::map<Place, Entry> entries_ SHEAF_GUARDED_BY(mutex_);
  double run_ms_mean_ SHEAF_GUARDED_BY(mutex_) = 100;
  bool closed_ SHEAF_GUARDED_BY(mutex_) = false;
};

}  // namespace sheaf::admission
