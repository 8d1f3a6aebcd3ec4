#include "sheaf/base/core/sql.h"

#include "sheaf/base/core/check.h"

namespace sheaf::core {

Sql Sql::Name(std::string_view name) {
  SHEAF_CHECK(IsSqlName(name));
  Sql sql;
  sql.text_.append("\"").append(name).append("\"");
  return sql;
}

Sql Sql::IndexName(std::string_view table, std::string_view column) {
  SHEAF_CHECK(IsSqlName(table) && IsSqlName(column));
  Sql sql;
  sql.text_.append("\"").append(table).append("_").append(column).append("_idx\"");
  return sql;
}

Sql Sql::Number(int64_t number) {
  Sql sql;
  sql.text_ = std::to_string(number);
  return sql;
}

}  // namespace sheaf::core
