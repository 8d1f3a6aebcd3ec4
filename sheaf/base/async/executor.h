// A bounded pool of threads, and a strand that runs work in order on one.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sheaf/base/async/mutex.h"

namespace sheaf::async {

struct ExecutorOptions {
  std::string name = "pool";
  size_t threads_max = 4;
  size_t queue_max = 4096;  // Work waiting for a thread; above it TryPost refuses.
};

// An Executor runs functions on threads of its own, started as they are needed.
//
// Owner: main or the room that made it; its destructor runs what is queued, then joins.
// Threads: TryPost from any thread. Blocking: never. Functions must not throw.
// Errors: TryPost is false when the queue is full or the executor is stopping; the caller says
//   what happens next.
class Executor final {
 public:
  explicit Executor(ExecutorOptions options);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  [[nodiscard]] bool TryPost(std::function<void()> work);
  // Refuses new work, runs what is queued, joins. Called by the destructor; may be called before.
  void Stop();

  size_t queued() const;
  size_t running() const;
  const ExecutorOptions& options() const { return options_; }

 private:
  void Work();

  const ExecutorOptions options_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ SHEAF_GUARDED_BY(mutex_);
  size_t idle_ SHEAF_GUARDED_BY(mutex_) = 0;
  size_t running_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool stopping_ SHEAF_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ SHEAF_GUARDED_BY(mutex_);
};

// Runs functions one after another, in the order posted, on an executor's threads.
//
// Owner: anyone, through shared_ptr; queued work keeps the strand alive. Threads: any.
// The queue is bounded by its user's own flow control: each user states how much it posts at once.
class Strand final : public std::enable_shared_from_this<Strand> {
 public:
  static std::shared_ptr<Strand> Make(Executor& executor);
  // False when the executor refused and nothing of this strand is running: `work` is dropped.
  [[nodiscard]] bool TryPost(std::function<void()> work);

 private:
  explicit Strand(Executor& executor) : executor_(executor) {}
  void Drain();

  Executor& executor_;  // Borrowed; outlives this.
  Mutex mutex_;
  std::deque<std::function<void()>> queue_ SHEAF_GUARDED_BY(mutex_);
  bool active_ SHEAF_GUARDED_BY(mutex_) = false;
};

}  // namespace sheaf::async

namespace sheaf {
using async::Executor;
using async::Strand;
}  // namespace sheaf
