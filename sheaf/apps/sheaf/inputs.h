// What `--input name=value` means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::app {

// One input of a command: its name, and the JSON under it: {"path": […]} or another command.
struct NamedInput {
  std::string name;
  Json value;
  std::string file;  // The file, when it is one of the service `files`; for an embedded node.
};

// `value` is, by its look and nothing else:
//   path:raw/orders          a flight path, whatever it looks like
//   @other.json              the command in that file (its text comes from `read_file`)
//   file:x, /x, ./x, ../x    a file, as is anything with `://`
//   *.parquet, a[0-9].csv    a file pattern
//   x.parquet, x.csv.gz, …   a file, by its suffix
//   anything else            a flight path
// Without `name=` the file's stem or the path's last part is the name.
// A file is read where the command runs: relative ones below the node's files.roots.
using ReadFile = Result<std::string> (*)(const std::string& path);
Result<NamedInput> ParseInput(std::string_view text, ReadFile read_file);

// True for names that the service `files` knows by their suffix: .parquet, .csv, .json, …
bool HasDataSuffix(std::string_view name);

}  // namespace sheaf::app
