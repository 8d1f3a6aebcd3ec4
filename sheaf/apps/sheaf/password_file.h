// The passwords of the database's roles, in a file as PostgreSQL's clients know it (PGPASSFILE).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/core.h"

namespace sheaf::app {

// Lines "host:port:database:user:password"; ours are "*:*:*:ROLE:PASSWORD", what else stands there
// stays. A value.
class Passwords {
 public:
  // Empty when there is no file; kForbidden when others may read it.
  static Result<Passwords> Read(const std::string& path);

  // Whether libpq may find one here: there is one of the role, or a line that is not ours.
  bool Concerns(std::string_view role) const;
  std::optional<std::string> Find(std::string_view role) const;
  void Set(std::string_view role, const std::string& password);
  Status Write(const std::string& path) const;

 private:
  std::vector<std::string> lines_;
};

// 192 bits from the operating system, in hexadecimal: nothing in it needs quotes anywhere.
std::string NewPassword();

// Where a change of passwords is noted before the server makes it: whichever of the two files a
// crash leaves, one of them is right.
std::string NextOf(const std::string& path);

}  // namespace sheaf::app
