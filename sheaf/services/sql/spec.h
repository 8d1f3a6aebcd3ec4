// The spec of a command for `sql`, and what a plan remembers of it.
#pragma once

#include <map>
#include <string>

#include "sheaf/drivers/duckdb/duckdb.h"
#include "sheaf/ports/module/service.h"

namespace sheaf::sql {

inline constexpr size_t kTableNameBytesMax = 255;

// {"sql": text, "params": list or object}: the statement passed the gate and every parameter that
// it names has a value, and no other.
struct Spec {
  duckdb::Statement statement;
  duckdb::Values values;

  static Result<Spec> Parse(const Json& spec);
};

struct SqlPlan final : module::PlanState {
  explicit SqlPlan(Spec parsed) : spec(std::move(parsed)) {}
  const Spec spec;
};

// kInvalid when a name cannot be a table's: empty, longer than 255 bytes, with a NUL, or equal to
// another but for upper and lower case.
template <typename Input>
Status CheckNames(const std::map<std::string, Input>& inputs);
Status CheckTableNames(const std::vector<std::string>& names);

template <typename Input>
Status CheckNames(const std::map<std::string, Input>& inputs) {
  std::vector<std::string> names;
  for (const auto& [name, input] : inputs) names.push_back(name);
  return CheckTableNames(names);
}

}  // namespace sheaf::sql
