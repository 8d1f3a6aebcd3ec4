// The tree of a command or a task, as Explain gives it.
#pragma once

#include <string>

#include "sheaf/wire/command/json.h"

namespace sheaf::app {

// One line a node: what it is, what becomes of it (hit, fused, shared, run, planned), and numbers.
//
//   sql                          planned  -> reports/q3
//   ├── lineitem: files          fused    about 6,001,215 rows
//   └── orders: path raw/orders  read     generation 12
std::string FormatTree(const Json& task);

// The same words for one task: "run", "shared", …
std::string OutcomeWord(const Json& task);
// "6,001,215 rows, 45.3MiB", what is known of it; an estimate when nothing else is.
std::string SizeWords(const Json& task);

}  // namespace sheaf::app
