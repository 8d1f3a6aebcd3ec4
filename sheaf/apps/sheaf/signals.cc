#include "sheaf/apps/sheaf/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "sheaf/base/core/core.h"

namespace sheaf::app {

Signals::Signals(OnSignal on_signal)
    : on_signal_(std::move(on_signal)), thread_({.name = "signals", .threads_max = 1}) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGTERM);
  SHEAF_CHECK(pthread_sigmask(SIG_BLOCK, &mask, nullptr) == 0);
  signal_fd_ = ::signalfd(-1, &mask, SFD_CLOEXEC);
  stop_fd_ = ::eventfd(0, EFD_CLOEXEC);
  SHEAF_CHECK(signal_fd_ >= 0 && stop_fd_ >= 0);
  SHEAF_CHECK(thread_.TryPost([this] { Watch(); }));
}

Signals::~Signals() {
  const uint64_t one = 1;
  SHEAF_CHECK(::write(stop_fd_, &one, sizeof one) == sizeof one);
  thread_.Stop();
  ::close(signal_fd_);
  ::close(stop_fd_);
}

void Signals::Watch() {
  std::array<pollfd, 2> watched{pollfd{stop_fd_, POLLIN, 0}, pollfd{signal_fd_, POLLIN, 0}};
  for (int count = 0;;) {
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;  // EINTR: look again.
    if (watched[0].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signal_fd_, &info, sizeof info) == sizeof info) {
      on_signal_(++count, static_cast<int>(info.ssi_signo));
    }
  }
}

}  // namespace sheaf::app
