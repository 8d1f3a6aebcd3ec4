// A transaction: rolls back when it dies without a Commit.
#pragma once

#include <utility>

#include "sheaf/drivers/postgres/connection.h"

namespace sheaf::postgres {

// Owner: a scope on one thread. The connection outlives it.
class Transaction final {
 public:
  enum class Mode : uint8_t {
    kWrite,     // Each statement sees what is committed.
    kSnapshot,  // All statements see one instant; reads only.
  };
  // Connects again first if the connection is lost.
  static Result<Transaction> Begin(Connection& connection, Mode mode);
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  // Effect::kUnknown when the connection was lost: it may have been committed.
  Status Commit();

 private:
  explicit Transaction(Connection* connection) : connection_(connection) {}
  Connection* connection_;  // Borrowed; null when it is over.
};

}  // namespace sheaf::postgres
