// Whether a database is there and ready for a node, found out without a pool and without making
// anything.
#pragma once

#include <optional>
#include <string>

#include "sheaf/apps/sheaf/backend.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::app {

// The exit codes of `sheaf db alive`.
enum class Life : int { kAlive = 0, kEmpty = 1, kAway = 2, kForbidden = 3, kUnknown = 4 };

struct Alive {
  Life life = Life::kUnknown;
  std::string backend;  // Without passwords.
  std::string message;  // What is missing, or that nothing is.
  // Not known: absent.
  std::optional<int64_t> schema;                // Version; 0: none of Sheaf's.
  std::optional<persistence::RolesSeen> roles;  // Of PostgreSQL.
};

// `text` is persistence.backend. Tries once.
Alive LookWhetherAlive(const std::string& text, const BackendParts& parts);

Json ToJson(const Alive& alive);

}  // namespace sheaf::app
