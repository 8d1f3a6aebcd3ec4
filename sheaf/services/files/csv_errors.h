// What Arrow says of a bad CSV row, without the row's contents, and the line that it is on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sheaf::files {

struct CsvComplaint {
  int64_t row = 0;   // In the block, from 0.
  std::string what;  // "3 columns instead of 4", "a value is not of type int64; …".
};
CsvComplaint ReadComplaint(std::string_view message);

// A walk over a block that begins at a row; empty lines are no rows, quoted values may hold line
// breaks.
struct CsvWalk {
  int64_t lines = 0;    // Before the row asked for, or before the last one.
  bool quoted = false;  // The block ends inside of quotes.
};
// As far as row number `row`; with more rows than there are, over everything.
CsvWalk WalkRows(std::string_view block, int64_t row, char delimiter);
inline constexpr int64_t kEveryRow = INT64_MAX;

}  // namespace sheaf::files
