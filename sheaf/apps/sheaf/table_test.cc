// PLAN  cells are aligned by their kind · a table fits its width: the widest give way first, then
//       the middle goes and is counted · cells of wide characters and controls keep the frame

#include "sheaf/apps/sheaf/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sheaf::app {
namespace {

TEST(TableTest, ColumnsAreAlignedByTheirKind) {
  EXPECT_EQ(FormatTable({{"flag", Align::kLeft}, {"sum", Align::kRight}},
                        {{"A", "37.00"}, {"Nine", "1"}}, {}),
            " flag │   sum\n"
            "──────┼───────\n"
            " A    │ 37.00\n"
            " Nine │     1\n");
}

TEST(TableTest, NoRowsStillShowTheColumns) {
  EXPECT_EQ(FormatTable({{"n", Align::kRight}}, {}, {}), " n\n───\n");
}

TEST(TableTest, WideAndControlCharactersKeepTheFrame) {
  EXPECT_EQ(
      FormatTable({{"t", Align::kLeft}, {"n", Align::kRight}}, {{"日本", "1"}, {"a\nb", "22"}}, {}),
      " t    │  n\n"
      "──────┼────\n"
      " 日本 │  1\n"
      " a\\nb │ 22\n");
}

std::vector<TableColumn> Columns(size_t count, size_t name_width) {
  std::vector<TableColumn> columns;
  for (size_t i = 0; i < count; ++i) {
    columns.push_back({std::string(name_width, static_cast<char>('a' + i)), Align::kLeft});
  }
  return columns;
}

size_t WidestLine(const std::string& table) {
  std::istringstream lines(table);
  size_t widest = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('(')) widest = std::max(widest, Width(line));
  }
  return widest;
}

TEST(TableTest, WidestColumnsGiveWayFirst) {
  const std::string table = FormatTable({{"id", Align::kRight}, {"text", Align::kLeft}},
                                        {{"1234567890", std::string(60, 'x')}}, {.width = 40});
  EXPECT_LE(WidestLine(table), 40u);
  EXPECT_NE(table.find("1234567890"), std::string::npos);
  EXPECT_NE(table.find("x…"), std::string::npos);
}

TEST(TableTest, WhatDoesNotFitIsLeftOutFromTheMiddleAndCounted) {
  const auto columns = Columns(20, 10);
  const std::string table =
      FormatTable(columns, {std::vector<std::string>(20, "value")}, {.width = 40});
  EXPECT_LE(WidestLine(table), 40u);
  EXPECT_NE(table.find("aaa"), std::string::npos);
  EXPECT_NE(table.find("ttt"), std::string::npos);
  EXPECT_NE(table.find("(15 columns are not shown)"), std::string::npos) << table;
}

TEST(TableTest, OneColumnMayBeAsWideAsTheTerminal) {
  const std::string text(100, 'x');
  EXPECT_NE(FormatTable({{"t", Align::kLeft}}, {{text}}, {}).find(text), std::string::npos);
  EXPECT_EQ(FormatTable({{"t", Align::kLeft}, {"u", Align::kLeft}}, {{text, ""}}, {}).find(text),
            std::string::npos);
}

}  // namespace
}  // namespace sheaf::app
