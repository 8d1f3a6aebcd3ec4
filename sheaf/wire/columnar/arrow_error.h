// Between Arrow's Status and Sheaf's Error, without loss in either direction.
//
// An Error that passes through Arrow (inside a RecordBatchReader, say) rides in the Status's
// detail and comes out the same. A Status of Arrow's own becomes the kind the caller names.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <utility>

#include "sheaf/base/core/result.h"

namespace sheaf::columnar {

arrow::Status ToArrow(const Error& error);
// Out of memory and capacity are kExhausted, cancellation kCancelled whatever `kind` says.
Error FromArrow(const arrow::Status& status, Kind kind = Kind::kFailed);

template <typename T>
Result<T> FromArrow(arrow::Result<T> result, Kind kind = Kind::kFailed) {
  if (!result.ok()) return FromArrow(result.status(), kind);
  return std::move(result).ValueUnsafe();
}

}  // namespace sheaf::columnar

// SHEAF_TRY and SHEAF_ASSIGN for calls of Arrow: `SHEAF_ARROW_ASSIGN(auto x, Kind::kCorrupt, f())`.
#define SHEAF_ARROW_TRY(kind, expression)                                       \
  do {                                                                          \
    if (::arrow::Status sheaf_st_ = (expression); !sheaf_st_.ok()) [[unlikely]] \
      return ::sheaf::columnar::FromArrow(sheaf_st_, kind);                     \
  } while (false)
#define SHEAF_ARROW_ASSIGN(target, kind, expression) \
  SHEAF_ASSIGN(target, ::sheaf::columnar::FromArrow((expression), kind))
