#include "sheaf/apps/sheaf/built_in.h"

#include <array>
#include <string>
#include <string_view>

#include "sheaf/services/files/files.h"
#include "sheaf/services/sql/sql.h"

namespace sheaf::app {
namespace {

// Every module that can be built in, by the name it has in modules.enabled.
struct BuiltIn {
  std::string_view name;
  std::unique_ptr<module::Module> (*make)();
};
constexpr std::array<BuiltIn, 2> kBuiltIn{
    {{"files", files::MakeFilesModule}, {"sql", sql::MakeSqlModule}}};

// Null when there is none of that name.
const BuiltIn* BuiltInOf(std::string_view name) {
  for (const BuiltIn& built_in : kBuiltIn) {
    if (built_in.name == name) return &built_in;
  }
  return nullptr;
}

}  // namespace

Status CheckModules(const Settings& settings) {
  std::vector<std::string_view> known;
  for (const BuiltIn& built_in : kBuiltIn) known.push_back(built_in.name);
  for (const std::string& name : settings.modules.enabled) {
    if (BuiltInOf(name) != nullptr) continue;
    return Fail(Kind::kInvalid, "modules.enabled: " + core::UnknownWord("module", name, known));
  }
  return Done();
}

Result<std::vector<std::unique_ptr<module::Module>>> MakeModules(const Settings& settings) {
  SHEAF_TRY(CheckModules(settings));
  std::vector<std::unique_ptr<module::Module>> made;
  for (const std::string& name : settings.modules.enabled) made.push_back(BuiltInOf(name)->make());
  return made;
}

}  // namespace sheaf::app
