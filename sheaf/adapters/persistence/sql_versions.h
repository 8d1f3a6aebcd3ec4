// The versions of the schema and the steps between them. What was released never changes: a new
// version is a new step. Tests hold every step's statements as they were (tests/data/schema_*.sql).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

inline constexpr int64_t kSchemaVersion = 2;

// All tables of a version from 1 to kSchemaVersion.
std::vector<const Table*> TablesOf(int64_t version);

// Indexes beside those of the tables' descriptors: what a page of summaries is read by.
struct PageIndex {
  std::string_view name, table;
  std::span<const std::string_view> columns;
};
std::span<const PageIndex> PageIndexesOf(int64_t version);

// The step from the version before. Pure.
struct VersionStep {
  int64_t to = 0;
  std::string_view about;
  std::vector<Sql> statements;
};
VersionStep StepTo(int64_t version, records::Dialect dialect);
// Of its statements: 16 hexadecimal digits.
std::string ChecksumOf(const VersionStep& step);

}  // namespace sheaf::persistence
