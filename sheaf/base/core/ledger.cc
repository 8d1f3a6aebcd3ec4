#include "sheaf/base/core/ledger.h"

#include <algorithm>

#include "sheaf/base/core/check.h"

namespace sheaf::core {

Account::Account(std::string name, Bytes limit, std::shared_ptr<Account> parent)
    : name_(std::move(name)), parent_(std::move(parent)), limit_(limit.count) {}

std::shared_ptr<Account> Account::Root(std::string name, Bytes limit) {
  return std::shared_ptr<Account>(new Account(std::move(name), limit, nullptr));
}

std::shared_ptr<Account> Account::Open(std::string name, Bytes limit) {
  return std::shared_ptr<Account>(new Account(std::move(name), limit, shared_from_this()));
}

void Account::Charge(Bytes bytes) noexcept {
  for (Account* at = this; at != nullptr; at = at->parent_.get()) {
    const int64_t now = at->used_.fetch_add(bytes.count, std::memory_order_relaxed) + bytes.count;
    int64_t seen = at->peak_.load(std::memory_order_relaxed);
    while (now > seen && !at->peak_.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
    }
  }
}

void Account::Release(Bytes bytes) noexcept {
  for (Account* at = this; at != nullptr; at = at->parent_.get()) {
    at->used_.fetch_sub(bytes.count, std::memory_order_relaxed);
  }
}

bool Account::TryCharge(Bytes bytes) noexcept {
  Charge(bytes);
  for (Account* at = this; at != nullptr; at = at->parent_.get()) {
    if (at->excess().count > 0) {
      Release(bytes);
      return false;
    }
  }
  return true;
}

Bytes Account::excess() const noexcept {
  const int64_t limit = limit_.load(std::memory_order_relaxed);
  if (limit == 0) return {};
  return {std::max<int64_t>(0, used_.load(std::memory_order_relaxed) - limit)};
}

}  // namespace sheaf::core
