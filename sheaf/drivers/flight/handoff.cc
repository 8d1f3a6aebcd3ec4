#include "sheaf/drivers/flight/handoff.h"

#include <utility>

namespace sheaf::flight {

Handoff::Handoff(size_t threads)
    : executor_({.name = "flight-answer", .threads_max = threads, .queue_max = 65'536}) {}

// The two numbers are hints: a race between them puts a call on the other thread, no more.
bool Handoff::IsBurst() {
  const bool met = here_.fetch_add(1, std::memory_order_relaxed) > 0;
  if (met) left_.store(kBurst, std::memory_order_relaxed);
  if (left_.load(std::memory_order_relaxed) <= 0) return false;
  left_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void Handoff::Run(std::function<void()> answer) {
  const auto run = [this](const std::function<void()>& work) {
    work();
    here_.fetch_sub(1, std::memory_order_relaxed);
  };
  if (IsBurst() && executor_.TryPost([run, answer] { run(answer); })) return;
  run(answer);  // Alone, or too many wait: who reads answers, and reads no more meanwhile.
}

}  // namespace sheaf::flight
