#include "sheaf/adapters/store/context.h"

#include <utility>

namespace sheaf::store {
namespace {

std::shared_ptr<Account> MemoryAccount(const LocalStoreOptions& options) {
  if (options.account != nullptr) return options.account->Open("store", options.memory_budget);
  return Account::Root("store", options.memory_budget);
}

}  // namespace

Context::Context(const LocalStoreOptions& options)
    : clock(options.clock),
      log(options.log),
      probe(options.metrics),
      timers(options.timers),
      executor(options.executor),
      own_files(options.files == nullptr ? files::OpenLocalFiles() : nullptr),
      files(options.files == nullptr ? *own_files : *options.files),
      directory(options.directory),
      data_directory(options.directory.empty() ? "" : options.directory + "/data"),
      may_spill(!options.directory.empty() && options.spill == LocalStoreOptions::Spill::kAllowed),
      memory(MemoryAccount(options)),
      disk(Account::Root("store disk", options.disk_budget)) {}

void Context::Register(uint64_t generation, std::weak_ptr<Body> body) {
  MutexLock lock(mutex_);
  bodies_[generation] = std::move(body);
}

void Context::Unregister(uint64_t generation) {
  MutexLock lock(mutex_);
  bodies_.erase(generation);
}

std::shared_ptr<Body> Context::Find(uint64_t generation) {
  MutexLock lock(mutex_);
  const auto found = bodies_.find(generation);
  return found == bodies_.end() ? nullptr : found->second.lock();
}

std::vector<std::shared_ptr<Body>> Context::Living() {
  std::vector<std::shared_ptr<Body>> living;
  MutexLock lock(mutex_);
  living.reserve(bodies_.size());
  for (const auto& [generation, weak] : bodies_) {
    if (auto body = weak.lock(); body != nullptr) living.push_back(std::move(body));
  }
  return living;
}

}  // namespace sheaf::store
