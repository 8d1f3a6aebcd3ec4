// The statements that create a table and its indexes, and those that use it.
//
// Pure; never fails: what could be wrong with a table did not compile. Every value is a parameter,
// every name is quoted.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/wire/records/dialect.h"
#include "sheaf/wire/records/property.h"

namespace sheaf::records {

// CREATE TABLE, then its indexes; without `;`. What exists already is left alone.
std::vector<Sql> Ddl(const Table& table, Dialect dialect);
// The statements of all tables, or of one, each on its line with `;` at the end.
std::string DdlText(std::span<const Table* const> tables, Dialect dialect);

// "a","b": the columns of rows in their order, or those of the key.
Sql ColumnList(const Table& table);
Sql KeyList(const Table& table);

// All columns, in the order of rows. A row of the same key is an error.
Sql Insert(const Table& table, Dialect dialect);
// The same; a row of the same key stays as it is.
Sql InsertIfAbsent(const Table& table, Dialect dialect);
// The same; a row of the same key is replaced.
Sql Upsert(const Table& table, Dialect dialect);
// Sets the columns of these pnames, in their order, then the key's values.
Sql Update(const Table& table, Dialect dialect, std::span<const std::string_view> pnames);
// All columns of all rows; of those whose first `key_parts` columns of the key are given.
Sql Select(const Table& table);
Sql SelectByKey(const Table& table, Dialect dialect, size_t key_parts);
Sql DeleteByKey(const Table& table, Dialect dialect, size_t key_parts);

}  // namespace sheaf::records
