#include "sheaf/apps/sheaf/task_id.h"

#include <string_view>

namespace sheaf::app {
namespace {

constexpr size_t kTaskDigits = 32;  // Of a whole name.

bool IsBeginning(std::string_view given) {
  return given.size() >= kTaskDigitsMin && given.size() < kTaskDigits &&
         given.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<std::string> WholeTaskId(const std::string& given, const std::vector<Json>& tasks) {
  if (!IsBeginning(given)) return given;
  std::vector<std::string> found;
  for (const Json& task : tasks) {
    std::string id = task.value("task", "");
    if (id == given) return given;
    if (id.starts_with(given)) found.push_back(std::move(id));
  }
  if (found.empty()) {
    return Fail(Kind::kNotFound, "no task of yours begins with '" + given +
                                     "'; `sheaf tasks --all` lists them");
  }
  if (found.size() == 1) return std::move(found.front());
  std::string names;
  for (const auto& id : found) names += (names.empty() ? "" : ", ") + id;
  return Fail(Kind::kInvalid, std::to_string(found.size()) + " tasks begin with '" + given +
                                  "': " + names);
}

}  // namespace sheaf::app
