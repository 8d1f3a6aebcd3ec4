// The ledger: where every buffer above a few kilobytes is charged, so that a limit can be seen.
//
// An Account is a node of a tree handed down by its owner; a charge is counted in the account and
// in all above it. Limits are soft for Charge (the bytes exist already, the caller reacts) and
// hard for TryCharge (the bytes do not exist yet).
//
// Owner: whoever opened it; a child must not outlive its parent (shared_ptr keeps it so).
// Threads: every method from any thread at once; lock-free. Blocking: never.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/core/bytes.h"

namespace sheaf::core {

class Account final : public std::enable_shared_from_this<Account> {
 public:
  // The root of a tree. `limit` of 0 = none.
  static std::shared_ptr<Account> Root(std::string name, Bytes limit);
  // A child; `limit` of 0 = only the limits above it.
  std::shared_ptr<Account> Open(std::string name, Bytes limit = {});

  // True and charged, or false and nothing changed: some limit on the way up would be exceeded.
  [[nodiscard]] bool TryCharge(Bytes bytes) noexcept;
  void Charge(Bytes bytes) noexcept;   // Unconditional: the bytes are here already.
  void Release(Bytes bytes) noexcept;  // What was charged, by the same caller.

  Bytes used() const noexcept { return {used_.load(std::memory_order_relaxed)}; }
  Bytes peak() const noexcept { return {peak_.load(std::memory_order_relaxed)}; }
  Bytes limit() const noexcept { return {limit_.load(std::memory_order_relaxed)}; }
  void set_limit(Bytes limit) noexcept { limit_.store(limit.count, std::memory_order_relaxed); }
  // Bytes above the limit, 0 when within it or without one.
  Bytes excess() const noexcept;
  const std::string& name() const noexcept { return name_; }

 private:
  Account(std::string name, Bytes limit, std::shared_ptr<Account> parent);

  const std::string name_;
  const std::shared_ptr<Account> parent_;  // Shared: a parent lives as long as its children.
  std::atomic<int64_t> limit_;
  std::atomic<int64_t> used_{0};
  std::atomic<int64_t> peak_{0};
};

// A charge that ends with its scope. Movable, empty by default.
class Charge final {
 public:
  Charge() = default;
  Charge(std::shared_ptr<Account> account, Bytes bytes) : account_(std::move(account)) {
    Grow(bytes);
  }
  Charge(Charge&& other) noexcept
      : account_(std::move(other.account_)), bytes_(std::exchange(other.bytes_, {})) {}
  Charge& operator=(Charge&& other) noexcept {
    if (this != &other) {
      Drop();
      account_ = std::move(other.account_);
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }
  ~Charge() { Drop(); }

  void Grow(Bytes bytes) {
    if (account_ == nullptr) return;
    account_->Charge(bytes);
    bytes_ += bytes;
  }
  void Drop() noexcept {
    if (account_ != nullptr) account_->Release(bytes_);
    account_.reset();
    bytes_ = {};
  }
  Bytes bytes() const { return bytes_; }

 private:
  std::shared_ptr<Account> account_;  // Shared: the account outlives whoever holds a charge.
  Bytes bytes_{};
};

}  // namespace sheaf::core

namespace sheaf {
using core::Account;
using core::Charge;
}  // namespace sheaf
