#include "sheaf/ports/store/flight.h"

namespace sheaf::store {
namespace {

// Wakes a waiting thread for the writer's next batch or for a cancel, whichever is first.
struct Waiter {
  Mutex mutex;
  CondVar cv;
  bool awake SHEAF_GUARDED_BY(mutex) = false;

  void Wake() {
    MutexLock lock(mutex);
    awake = true;
    cv.NotifyAll();
  }
  void Wait() {
    MutexLock lock(mutex);
    while (!awake) cv.Wait(mutex);
    awake = false;
  }
};

}  // namespace

Result<Batch> FlightReader::Wait(const CancelToken& token) {
  while (true) {
    SHEAF_TRY(token.Check());
    // Shared: a late wake of the reader may come after this call has given up.
    auto waiter = std::make_shared<Waiter>();
    SHEAF_ASSIGN(Step step, Next([waiter] { waiter->Wake(); }));
    switch (step.what) {
      case Step::What::kBatch: return std::move(step.batch);
      case Step::What::kEnd: return Batch();
      case Step::What::kPending: break;
    }
    auto registration = token.OnCancel([waiter] { waiter->Wake(); });
    waiter->Wait();
  }
}

}  // namespace sheaf::store
