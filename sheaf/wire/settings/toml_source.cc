#include "sheaf/wire/settings/toml_source.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <tuple>
#include <utility>

namespace sheaf::settings {
namespace {

Spot SpotOf(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

Raw RawOf(const toml::node& node) {
  using Form = Raw::Form;
  switch (node.type()) {
    case toml::node_type::string: return {Form::kString, **node.as_string(), {}};
    case toml::node_type::integer: return {Form::kInteger, std::to_string(**node.as_integer()), {}};
    case toml::node_type::boolean:
      return {Form::kBoolean, **node.as_boolean() ? "true" : "false", {}};
    case toml::node_type::array: {
      Raw raw{Form::kList, {}, {}};
      for (const auto& item : *node.as_array()) {
        if (!item.is_string()) return {Form::kOther, "list of other things than strings", {}};
        raw.list.push_back(**item.as_string());
      }
      return raw;
    }
    case toml::node_type::floating_point: return {Form::kOther, "floating-point number", {}};
    case toml::node_type::table: return {Form::kOther, "table", {}};
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return {Form::kOther, "date or time", {}};
    case toml::node_type::none: break;
  }
  return {Form::kOther, "nothing", {}};
}

// Sections are one level deep; what is deeper is named by its whole path and found unknown.
void Collect(const toml::table& table, const std::string& prefix, TomlFile& file) {
  for (const auto& [name, node] : table) {
    const std::string path = prefix + std::string(name.str());
    const bool section = prefix.empty() && node.is_table();
    TomlEntry entry{path, section, {}, SpotOf(name.source()), SpotOf(node.source())};
    if (!section) entry.raw = RawOf(node);
    file.entries.push_back(std::move(entry));
    if (section) Collect(*node.as_table(), path + ".", file);
  }
}

}  // namespace

TomlFile ReadToml(std::string_view text) {
  TomlFile file;
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    file.broken = std::string(error.description());
    file.broken_at = SpotOf(error.source());
    return file;
  }
  Collect(parsed.table(), "", file);
  std::stable_sort(file.entries.begin(), file.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.key_at.line, a.key_at.column) < std::tie(b.key_at.line, b.key_at.column);
  });
  return file;
}

}  // namespace sheaf::settings
