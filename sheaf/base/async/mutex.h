// A mutex that clang's thread-safety analysis can see.
//
// libstdc++'s std::mutex carries no capability, so state declared SHEAF_GUARDED_BY would not be
// checked; with this one an unguarded read is a compile error under clang (ctest thread_safety).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SHEAF_ATTRIBUTE(x) __attribute__((x))
#else
#define SHEAF_ATTRIBUTE(x)
#endif
#define SHEAF_CAPABILITY(x) SHEAF_ATTRIBUTE(capability(x))
#define SHEAF_SCOPED_CAPABILITY SHEAF_ATTRIBUTE(scoped_lockable)
#define SHEAF_GUARDED_BY(x) SHEAF_ATTRIBUTE(guarded_by(x))
#define SHEAF_REQUIRES(...) SHEAF_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define SHEAF_EXCLUDES(...) SHEAF_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define SHEAF_ACQUIRE(...) SHEAF_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define SHEAF_RELEASE(...) SHEAF_ATTRIBUTE(release_capability(__VA_ARGS__))
#define SHEAF_NO_ANALYSIS SHEAF_ATTRIBUTE(no_thread_safety_analysis)

namespace sheaf::async {

class SHEAF_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() SHEAF_ACQUIRE() { mutex_.lock(); }
  void Unlock() SHEAF_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class SHEAF_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SHEAF_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() SHEAF_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits for state under a Mutex. Every wait is in a loop over that state, or takes a predicate.
class CondVar {
 public:
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

  void Wait(Mutex& mutex) SHEAF_REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    cv_.wait(held);
    held.release();
  }
  // Waits at most `wait`; Duration::max() waits for a notification alone.
  void WaitFor(Mutex& mutex, std::chrono::nanoseconds wait) SHEAF_REQUIRES(mutex) {
    if (wait >= std::chrono::hours(1)) return Wait(mutex);
    if (wait <= std::chrono::nanoseconds(0)) return;
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    cv_.wait_for(held, wait);
    held.release();
  }

 private:
  std::condition_variable cv_;
};

}  // namespace sheaf::async

namespace sheaf {
using async::CondVar;
using async::Mutex;
using async::MutexLock;
}  // namespace sheaf
