#include "sheaf/base/async/executor.h"

#include <pthread.h>

#include <utility>

#include "sheaf/base/core/check.h"

namespace sheaf::async {

Executor::Executor(ExecutorOptions options) : options_(std::move(options)) {
  SHEAF_CHECK(options_.threads_max > 0);
}

Executor::~Executor() { Stop(); }

bool Executor::TryPost(std::function<void()> work) {
  MutexLock lock(mutex_);
  if (stopping_ || queue_.size() >= options_.queue_max) return false;
  queue_.push_back(std::move(work));
  if (idle_ < queue_.size() && threads_.size() < options_.threads_max) {
    threads_.emplace_back([this] { Work(); });
  } else {
    wake_.NotifyOne();
  }
  return true;
}

void Executor::Stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    wake_.NotifyAll();
  }
  for (auto& thread : threads) {
    SHEAF_CHECK(thread.get_id() != std::this_thread::get_id());
    thread.join();
  }
}

size_t Executor::queued() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

size_t Executor::running() const {
  MutexLock lock(mutex_);
  return running_;
}

void Executor::Work() {
  ::pthread_setname_np(::pthread_self(), options_.name.substr(0, 15).c_str());
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) {
        ++idle_;
        wake_.Wait(mutex_);
        --idle_;
      }
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
    }
    work();
    work = nullptr;  // What it captured dies before the thread counts as free.
    MutexLock lock(mutex_);
    --running_;
  }
}

std::shared_ptr<Strand> Strand::Make(Executor& executor) {
  return std::shared_ptr<Strand>(new Strand(executor));
}

bool Strand::TryPost(std::function<void()> work) {
  {
    MutexLock lock(mutex_);
    queue_.push_back(std::move(work));
    if (active_) return true;
    active_ = true;
  }
  if (executor_.TryPost([self = shared_from_this()] { self->Drain(); })) return true;
  MutexLock lock(mutex_);
  active_ = false;
  queue_.clear();
  return false;
}

void Strand::Drain() {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      if (queue_.empty()) {
        active_ = false;
        return;
      }
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace sheaf::async
