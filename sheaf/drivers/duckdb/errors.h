// How SQL fails: a message, and where in the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"

namespace sheaf::duckdb {

// A place in a text; lines and columns count from 1, columns in characters.
struct Place {
  size_t position = 0;  // In bytes, from 0.
  size_t line = 1;
  size_t column = 1;
};
Place PlaceOf(std::string_view sql, size_t position);

// The line of `sql` that holds `position`, cut to what a terminal shows, and a caret under it:
//
//   LINE 2: from orders where o_total < 'x'
//                             ^
std::string Caret(std::string_view sql, size_t position);

// `message` with the caret under it and details {"position", "line", "column"}; without a
// position just the message.
Error SqlError(Kind kind, std::string message, std::string_view sql,
               std::optional<size_t> position);

}  // namespace sheaf::duckdb
