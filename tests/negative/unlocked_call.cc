// must not compile: calling function 'Grow' requires holding mutex 'mutex_'
#include "sheaf/base/async/mutex.h"

class Counter {
 public:
  int Get() { return Grow(); }

 private:
  int Grow() SHEAF_REQUIRES(mutex_) { return ++count_; }
  sheaf::async::Mutex mutex_;
  int count_ SHEAF_GUARDED_BY(mutex_) = 0;
};

int main() { return Counter().Get(); }
