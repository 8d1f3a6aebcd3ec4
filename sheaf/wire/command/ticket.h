// Opaque tickets: bound to node, flight generation, partition and principal, authenticated.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/command/path.h"

namespace sheaf::command {

// What a ticket says. A value.
struct Ticket {
  NodeId node;
  uint64_t generation = 0;  // Of the flight, named or not.
  uint32_t partition = 0;
  Path path;            // Empty for an unnamed result.
  TaskId task;          // Empty for a committed flight; with a path: a result on its way there.
  InterestId interest;  // Empty without a task.
  std::string principal;
};

// Makes and opens tickets with HMAC-SHA-256 under one key.
//
// Owner: host/endpoint. Threads: any. Blocking: never.
class TicketBox {
 public:
  static constexpr size_t kKeyBytes = 32;
  explicit TicketBox(std::string key);  // Exactly kKeyBytes.
  std::string Seal(const Ticket& ticket) const;
  // kInvalidTicket on any change of any byte; never says which.
  Result<Ticket> Open(std::string_view bytes) const;

 private:
  struct Keyed;  // The hash after it took the key: half of the work of a tag.
  std::shared_ptr<const Keyed> keyed_;  // Shared by copies of the box.
};

// SHA-256 of bytes, 32 raw bytes.
std::string Sha256(std::string_view bytes);

}  // namespace sheaf::command
