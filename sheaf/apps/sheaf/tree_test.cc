// PLAN  a planned tree shows what each node would be · a finished one its rows and times · an
//       attached node is shared, a missing path is said · hostile text cannot write the terminal

#include "sheaf/apps/sheaf/tree.h"

#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

TEST(TreeTest, PlannedTreeShowsWhatEachNodeWouldBe) {
  const Json task = Json::parse(R"({
    "task": null, "service": "sql", "state": "known", "outcome": "planned",
    "estimate": {"rows": -1, "bytes": -1}, "sink": {"path": ["reports", "q3"]},
    "inputs": {
      "lineitem": {"service": "files", "outcome": "fused",
                   "estimate": {"rows": 6001215, "bytes": -1}},
      "nested": {"service": "sql", "outcome": "hit", "state": "completed", "rows": 1, "bytes": 2048,
                 "path": ["cache", "n"], "inputs": {}},
      "orders": {"path": ["raw", "orders"], "generation": 12},
      "shared": {"service": "sql", "outcome": "attached", "state": "executing", "progress": 0.25,
                 "inputs": {"a": {"path": ["gone"], "generation": 0}}}}})");
  EXPECT_EQ(FormatTree(task),
            "sql                          planned  -> reports/q3\n"
            "├── lineitem: files          fused    about 6,001,215 rows\n"
            "├── nested: sql              hit      1 row, 2KiB; at cache/n\n"
            "├── orders: path raw/orders  read     generation 12\n"
            "└── shared: sql              shared   executing 25%\n"
            "    └── a: path gone         read     nothing is there\n");
}

TEST(TreeTest, FinishedTaskShowsRowsTimesAndError) {
  const Json task = Json::parse(R"({
    "task": "t1", "service": "sql", "state": "errored", "outcome": "run", "rows": 10, "bytes": 80,
    "ms": {"queue": 0.1, "run": 1234.5, "stream": 20}, "shared_by": 3,
    "error": {"code": "failed", "message": "no column \u001b[31m"}})");
  EXPECT_EQ(FormatTree(task),
            "sql  run  errored; 10 rows, 80B; run 1.234 s, stream 0.020 s; for 3 callers; "
            "failed: no column \\x1b[31m\n");
}

TEST(TreeTest, WhatIsNotThereIsNotShown) {
  EXPECT_EQ(FormatTree(Json::parse(R"({"service": "sql"})")), "sql\n");
  EXPECT_EQ(FormatTree(Json::parse(R"({"service": "sql", "ms": 3, "error": "x", "inputs": []})")),
            "sql\n");
}

}  // namespace
}  // namespace sheaf::app
