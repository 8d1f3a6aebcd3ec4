// SIGINT and SIGTERM as calls on a thread, so that they can do more than a signal handler may.
#pragma once

#include <functional>

#include "sheaf/base/async/async.h"

namespace sheaf::app {

// Blocks both signals and watches for them; `on_signal` gets 1, 2, … for the first, second, …,
// and which of the two it was.
//
// Owner: main; made before any other thread, so that all inherit the blocked mask. Threads: the
// calls come on one thread of its own. The destructor waits for that thread; the mask stays.
class Signals final {
 public:
  using OnSignal = std::function<void(int count, int number)>;
  explicit Signals(OnSignal on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void Watch();

  const OnSignal on_signal_;
  int signal_fd_ = -1;
  int stop_fd_ = -1;
  Executor thread_;  // Last: joined before the descriptors close.
};

}  // namespace sheaf::app
