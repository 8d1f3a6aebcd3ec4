// What a database really has, in words that can be compared with what it should have.
#pragma once

#include <set>
#include <string>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

// Lines such as `table jobs`, `column jobs.user text, key 1`, `index jobs_page on jobs(user,…)`.
using Catalog = std::set<std::string>;

// Of this version's tables, as the dialect would say them.
Catalog ExpectedCatalog(int64_t version, records::Dialect dialect);
// Of the database's tables that have these names; what others keep beside is theirs.
Result<Catalog> LiveCatalog(SqlSession& session, int64_t version);
// Names of all tables.
Result<std::set<std::string>> LiveTables(SqlSession& session);

// What one has and the other lacks, for people.
std::vector<std::string> Drift(const Catalog& expected, const Catalog& live);

}  // namespace sheaf::persistence
