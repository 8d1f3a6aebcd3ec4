// The roles of a PostgreSQL database: `sheaf` owns the tables, `guest` reads what is not private.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/drivers/postgres/connection.h"

namespace sheaf::persistence {

inline constexpr std::string_view kOwnerRole = "sheaf", kGuestRole = "guest";

struct RolesSeen {
  int64_t schema = 0;                 // Its version; 0: none of Sheaf's.
  bool owner = false, guest = false;  // They are there and may log in.
  bool granted = false;    // Guest reads every public column of the owner's tables, no other,
                           // and makes nothing in their schema.
  bool superuser = false;  // The server's first superuser may log in.
  bool complete() const { return owner && guest && granted; }
};
// Needs no more than a login. Tables are those of the first schema of the search path.
Result<RolesSeen> LookAtRoles(postgres::Connection& connection);

// Makes the roles that are missing, each with its password of `passwords`, and gives the owner the
// schema and the tables that are there; one transaction. Returns the names of what was made. A
// second time it changes nothing.
// Errors: kForbidden when this user may not, kConflict for a role of this name that may more than
// it should.
Result<std::vector<std::string>> MakeRoles(postgres::Connection& admin,
                                           const std::map<std::string, std::string>& passwords);
// Guest reads what it may of the tables that are there, and nothing else. As the owner.
Status GrantToGuest(postgres::Connection& owner);
// As the role itself or as who may make roles; the owner may do it for guest too. The password
// stays here: the server gets what it keeps of it.
Status SetPassword(postgres::Connection& connection, const std::string& role,
                   const std::string& password);
// The server's first superuser may not log in any more; sessions that it has go on.
Status LockSuperuser(postgres::Connection& admin);
// For a server that is Sheaf's alone: who is neither of the two roles may not use this database,
// and guest makes no temporary tables.
Status CloseDatabase(postgres::Connection& admin);

}  // namespace sheaf::persistence
