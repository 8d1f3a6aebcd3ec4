// must not compile: reading variable 'count_' requires holding mutex 'mutex_'
#include "sheaf/base/async/mutex.h"

class Counter {
 public:
  int Get() { return count_; }

 private:
  sheaf::async::Mutex mutex_;
  int count_ SHEAF_GUARDED_BY(mutex_) = 0;
};

int main() { return Counter().Get(); }
