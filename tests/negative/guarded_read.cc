// must compile
#include "sheaf/base/async/mutex.h"

class Counter {
 public:
  int Get() {
    sheaf::async::MutexLock lock(mutex_);
    return count_;
  }

 private:
  sheaf::async::Mutex mutex_;
  int count_ SHEAF_GUARDED_BY(mutex_) = 0;
};

int main() { return Counter().Get(); }
