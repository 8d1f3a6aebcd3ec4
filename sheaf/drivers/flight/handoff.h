// Where a call is answered: on gRPC's thread that read it, or on another.
#pragma once

#include <atomic>
#include <functional>

#include "sheaf/base/async/async.h"

namespace sheaf::flight {

// gRPC reads all connections on a few threads, and one that answers does not read. A call that
// comes alone is answered best where it came in: to hand it over costs a wake-up. Calls that come
// together are handed to threads that the first of them has woken, and gRPC's go on reading.
//
// Owner: the server. Threads: any. Blocking: never, if answers do not. Its destructor runs what
// was handed over.
class Handoff final {
 public:
  // So many calls after two have met are handed over.
  static constexpr int kBurst = 256;

  explicit Handoff(size_t threads);
  // Runs `answer` once: now, or soon on a thread of its own.
  void Run(std::function<void()> answer);

 private:
  bool IsBurst();

  std::atomic<int> here_{0};  // Answers that run or wait.
  std::atomic<int> left_{0};  // Calls that belong to the burst still; below 0: none.
  Executor executor_;         // Last: ends before what its work counts in.
};

}  // namespace sheaf::flight
