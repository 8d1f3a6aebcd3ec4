#include "sheaf/apps/sheaf/password_file.h"

#include <algorithm>
#include <utility>

#include "sheaf/apps/sheaf/private_file.h"

namespace sheaf::app {
namespace {

constexpr std::string_view kAnywhere = "*:*:*:";  // Host, port, database.

std::string PrefixOf(std::string_view role) {
  return std::string(kAnywhere) + std::string(role) + ":";
}

}  // namespace

Result<Passwords> Passwords::Read(const std::string& path) {
  Passwords passwords;
  auto text = ReadPrivate(path, "password file");
  if (!text.ok() && text.error().kind == Kind::kNotFound) return passwords;
  if (!text.ok()) return std::move(text).error();
  for (std::string_view rest = *text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    passwords.lines_.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return passwords;
}

bool Passwords::Concerns(std::string_view role) const {
  const auto foreign = [](const std::string& line) {
    return !line.starts_with(kAnywhere) && !line.empty() && line[0] != '#';
  };
  return Find(role).has_value() || std::any_of(lines_.begin(), lines_.end(), foreign);
}

std::optional<std::string> Passwords::Find(std::string_view role) const {
  const std::string prefix = PrefixOf(role);
  for (const std::string& line : lines_) {
    if (line.starts_with(prefix)) return line.substr(prefix.size());
  }
  return std::nullopt;
}

void Passwords::Set(std::string_view role, const std::string& password) {
  const std::string prefix = PrefixOf(role);
  const auto same = [&](const std::string& line) { return line.starts_with(prefix); };
  const auto found = std::find_if(lines_.begin(), lines_.end(), same);
  if (found == lines_.end()) {
    lines_.push_back(prefix + password);
  } else {
    *found = prefix + password;
  }
}

Status Passwords::Write(const std::string& path) const {
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  return WritePrivate(path, text);
}

std::string NewPassword() { return core::RandomHex(24); }

std::string NextOf(const std::string& path) { return path + ".next"; }

}  // namespace sheaf::app
