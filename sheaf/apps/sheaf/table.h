// Tables for people: aligned, cut to a width, with a footer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {

struct TableColumn {
  std::string name;
  Align align = Align::kLeft;
};

struct TableOptions {
  size_t width = 0;        // Columns of the terminal; 0 = no limit.
  size_t cell_width = 64;  // Of one cell; with one column only `width` counts.
};

// Rows as text: printable, aligned, columns narrowed until the table fits; when even that is not
// enough, columns from the middle on are left out and named by number in the last line.
//
//    l_returnflag │     sum_qty
//   ──────────────┼─────────────
//    A            │ 37734107.00
std::string FormatTable(const std::vector<TableColumn>& columns,
                        const std::vector<std::vector<std::string>>& rows,
                        const TableOptions& options);

}  // namespace sheaf::app
