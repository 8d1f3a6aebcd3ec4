// What schema a database has, found out without changing it.
#pragma once

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

// Version of the schema that is there; 0: none of Sheaf's. kCorrupt: a version that is none.
Result<int64_t> SchemaVersionIn(SqlSession& session);

// Done when this version is this program's. kNotReady: there is none, or an earlier one;
// kUnsupported: it is of a later program. Both versions are named.
Status ExpectVersion(int64_t version);
Status ExpectSchema(SqlStore& store);

}  // namespace sheaf::persistence
