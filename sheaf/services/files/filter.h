// The filter of a spec, typed for a schema: what rows stay, and what row groups cannot hold any.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/services/files/spec.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {

// A value; shared by the threads of a run. A row stays when every term is true of it: a null is
// true of nothing but is_null.
class Filter {
 public:
  // kInvalid for an unknown column (with the nearest) or a value that does not fit its type.
  static Result<Filter> Make(const std::vector<Term>& terms, const arrow::Schema& schema);

  bool empty() const { return terms_.empty(); }
  // Names of the columns it looks at, in the schema's order.
  const std::vector<std::string>& columns() const { return columns_; }
  // Of these columns: whether statistics may be believed. A NaN is outside of min and max, and
  // != and not_in are true of it.
  bool MayPrune(const std::string& column) const { return !wary_of_.contains(column); }
  // What is guaranteed of a column, without its "or it is null": such a row does not stay anyway,
  // unless is_null was asked for, and Arrow cannot use a guarantee that allows for it.
  arrow::compute::Expression WithoutNulls(const std::string& column,
                                          arrow::compute::Expression guarantee) const;

  // The rows of `batch` that stay; `batch` itself when all do. It must have columns().
  Result<Batch> Apply(const Batch& batch, arrow::MemoryPool* pool) const;
  // False when `guarantee`, an expression over columns(), leaves no row that could stay.
  bool MayHold(const arrow::compute::Expression& guarantee) const;

 private:
  std::vector<Term> terms_;
  std::vector<std::string> columns_;
  std::set<std::string> wary_of_, null_tested_;
  std::shared_ptr<arrow::Schema> schema_;  // Of columns(), in that order.
  arrow::compute::Expression bound_;       // To schema_.
};

// kInvalid naming the unknown column and the nearest known one.
Error UnknownColumn(std::string_view where, std::string_view column, const arrow::Schema& schema);

}  // namespace sheaf::files
