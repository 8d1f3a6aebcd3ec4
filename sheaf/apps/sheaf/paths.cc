#include "sheaf/apps/sheaf/paths.h"

#include <utility>
#include <vector>

namespace sheaf::app {

Result<Path> ParsePath(std::string_view text) {
  const std::string where = "path '" + std::string(text) + "'";
  if (text.starts_with('[')) {
    SHEAF_ASSIGN(const Json json, command::ParseJson(text));
    return Path::FromJson(json, where);
  }
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size() && (text[i + 1] == '/' || text[i + 1] == '\\')) {
      parts.back() += text[++i];
    } else if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  auto path = Path::Make(std::move(parts));
  if (!path.ok()) return std::move(path).error().In(where);
  return path;
}

Result<Path> ParsePrefix(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/') && !text.ends_with("\\/")) text.remove_suffix(1);
  if (text.empty() || text == "/") return Path();
  return ParsePath(text);
}

}  // namespace sheaf::app
