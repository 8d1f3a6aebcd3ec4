// Making a database ready for a node: roles, schema, rights.
#pragma once

#include <string>
#include <vector>

#include "sheaf/apps/sheaf/backend.h"
#include "sheaf/apps/sheaf/password_file.h"

namespace sheaf::app {

struct CreateOptions {
  std::string backend;  // persistence.backend, or the same database as who may make roles.
  BackendParts parts;
  bool lock_superuser = false;
  // Of a server that is Sheaf's alone: who makes the roles, and that others are shut out.
  std::string admin, admin_passfile;
};

struct Created {
  std::vector<std::string> made;   // In words; empty: there was nothing to do.
  std::vector<std::string> notes;  // What the operator should know.
  std::string backend;             // What persistence.backend should say; without a password.
  std::string password_file;       // Empty: none is needed.
};

// Errors: those of the back end; kForbidden when this user may not make roles.
// Effect::kUnknown when a commit was lost: to be called again.
Result<Created> CreateDatabase(const CreateOptions& options);

// A new password for the role: noted in the file before the server has it, and by its name after.
Status RotatePassword(postgres::Connection& connection, const std::string& file,
                      const std::string& role);

// A change of passwords that was cut off: what of it the server has taken is now in `file`.
// `place` is how the database is reached.
Status SettlePasswords(const PostgresPlace& place, const std::string& file,
                       const postgres::Surroundings& around);

}  // namespace sheaf::app
