// A whole table, a page at a time: what reads everything needs memory for a page.
#pragma once

#include <functional>
#include <vector>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

struct PageLimits {
  int64_t rows_max = 4096;
  int64_t bytes_max = int64_t{8} << 20;  // Of texts and blobs; a larger row is a page of its own.
};

// All rows, in the order of their key, to `take`; an error of it ends the reading.
Status ReadPages(SqlSession& session, const Table& table, const PageLimits& limits,
                 const std::function<Status(std::vector<Row>)>& take);

Result<int64_t> CountRows(SqlSession& session, const Table& table);

// Of texts and blobs.
int64_t BytesOf(const Row& row);

}  // namespace sheaf::persistence
