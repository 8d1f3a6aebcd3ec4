// A task by its first digits, as `sheaf tasks` shows it on a narrow terminal.
#pragma once

#include <string>
#include <vector>

#include "sheaf/wire/command/command.h"

namespace sheaf::app {

inline constexpr size_t kTaskDigitsMin = 6;

// The one task among `tasks` (answers of ListTasks) that `given` names: in full, or by at least
// kTaskDigitsMin first digits. What cannot be such a beginning is given back, for the server to
// judge. kNotFound when none begins so, kInvalid with their names when several do.
Result<std::string> WholeTaskId(const std::string& given, const std::vector<Json>& tasks);

}  // namespace sheaf::app
