// The one place where TOML is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sheaf/wire/settings/keys.h"

namespace sheaf::settings {

struct Spot {
  int64_t line = 0, column = 0;  // From 1.
};

struct TomlEntry {
  std::string key;  // "flight.listen", or "flight" for a section itself.
  bool section = false;
  Raw raw;
  Spot key_at, value_at;
};

struct TomlFile {
  std::vector<TomlEntry> entries;  // In the order of the file.
  // Set when the text is not TOML at all; then there are no entries.
  std::string broken;
  Spot broken_at;
};

TomlFile ReadToml(std::string_view text);

}  // namespace sheaf::settings
