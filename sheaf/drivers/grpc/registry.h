// Who is alive: every reactor of a server, so that who started them can wait for them.
#pragma once

#include <memory>
#include <unordered_map>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"

namespace sheaf::grpc {

class Life;

// Owner: the server. Threads: any. Blocking: the two that wait.
class Registry final {
 public:
  enum class Shape : uint8_t { kCall, kStream };
  struct Counts {
    int64_t calls = 0;    // All.
    int64_t streams = 0;  // Of those, kStream.
  };

  void Add(const std::shared_ptr<Life>& life, Shape shape);
  // By the destructor of a Life, whether it was added or not.
  void Remove(const Life* life);
  // Ends every call that is not answered yet with `reason`.
  void CancelAll(const Error& reason);
  // True when nobody was left within `wait` of real time; Duration::max() waits for ever.
  bool WaitEmpty(Duration wait) const;
  // True when those that are here now have gone within `wait`, whoever has come meanwhile.
  bool WaitForThoseNow(Duration wait);
  Counts counts() const;

 private:
  struct Entry {
    std::weak_ptr<Life> life;  // Weak: this list keeps nobody alive.
    Shape shape;
    uint64_t round;  // Another than the present one: somebody waits for its end.
  };
  mutable Mutex mutex_;
  mutable CondVar empty_;
  std::unordered_map<const Life*, Entry> lives_ SHEAF_GUARDED_BY(mutex_);
  int64_t streams_ SHEAF_GUARDED_BY(mutex_) = 0;
  uint64_t round_ SHEAF_GUARDED_BY(mutex_) = 0;
  int64_t old_ SHEAF_GUARDED_BY(mutex_) = 0;  // Entries of another round.
};

}  // namespace sheaf::grpc
