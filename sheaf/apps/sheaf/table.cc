#include "sheaf/apps/sheaf/table.h"

#include <algorithm>
#include <numeric>

namespace sheaf::app {
namespace {

constexpr size_t kCellWidthMin = 5;
constexpr size_t kFrame = 3;  // " │ " between two columns; the outer blanks make one more.

size_t Total(const std::vector<size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), widths.size() * kFrame) - 1;
}

// What a table keeps of its columns, and how wide they are.
struct Layout {
  std::vector<size_t> shown;   // Indices, in order.
  std::vector<size_t> widths;  // Of the shown ones.
  size_t left_out = 0;
};

// Takes from the widest until the table fits or all are at their least.
void Narrow(std::vector<size_t>& widths, size_t limit) {
  while (Total(widths) > limit) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kCellWidthMin) return;
    --*widest;
  }
}

Layout LayOut(std::vector<size_t> widths, const TableOptions& options) {
  Layout layout;
  layout.shown.resize(widths.size());
  std::iota(layout.shown.begin(), layout.shown.end(), 0);
  if (options.width == 0 || widths.empty()) {
    layout.widths = std::move(widths);
    return layout;
  }
  std::vector<size_t> least = widths;
  for (auto& width : least) width = std::min(width, kCellWidthMin);
  while (layout.shown.size() > 2 && Total(least) > options.width) {
    const auto middle = static_cast<std::ptrdiff_t>(layout.shown.size() / 2);
    for (auto* list : {&layout.shown, &widths, &least}) list->erase(list->begin() + middle);
    ++layout.left_out;
  }
  Narrow(widths, options.width);
  layout.widths = std::move(widths);
  return layout;
}

std::string Line(const std::vector<std::string>& cells, const std::vector<TableColumn>& columns,
                 const Layout& layout) {
  std::string line;
  for (size_t i = 0; i < layout.shown.size(); ++i) {
    const size_t at = layout.shown[i];
    if (i > 0) line += "│";
    line += " " + Pad(Cut(cells[at], layout.widths[i]), layout.widths[i], columns[at].align) + " ";
  }
  while (line.ends_with(' ')) line.pop_back();
  return line + "\n";
}

}  // namespace

std::string FormatTable(const std::vector<TableColumn>& columns,
                        const std::vector<std::vector<std::string>>& rows,
                        const TableOptions& options) {
  std::vector<std::string> names;
  std::vector<size_t> widths;
  for (const TableColumn& column : columns) {
    names.push_back(Printable(column.name));
    widths.push_back(Width(names.back()));
  }
  std::vector<std::vector<std::string>> safe;
  for (const auto& row : rows) {
    auto& cells = safe.emplace_back();
    for (size_t i = 0; i < columns.size(); ++i) {
      cells.push_back(Printable(row[i]));
      widths[i] = std::max(widths[i], Width(cells.back()));
    }
  }
  const size_t cell_max = columns.size() == 1 ? SIZE_MAX : options.cell_width;
  for (auto& width : widths) width = std::max<size_t>(1, std::min(width, cell_max));
  const Layout layout = LayOut(std::move(widths), options);

  std::string out = Line(names, columns, layout);
  for (size_t i = 0; i < layout.widths.size(); ++i) {
    if (i > 0) out += "┼";
    for (size_t n = 0; n < layout.widths[i] + 2; ++n) out += "─";
  }
  out += "\n";
  for (const auto& cells : safe) out += Line(cells, columns, layout);
  if (layout.left_out > 0) {
    out += "(" + std::to_string(layout.left_out) + " columns are not shown)\n";
  }
  return out;
}

}  // namespace sheaf::app
