#include "sheaf/apps/sheaf/asking.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;

bool IsForeign(const std::string& file) { return file.find("://") != std::string::npos; }

// The service refuses ".."; from this process's own directory it is only a spelling.
std::string Absolute(const std::string& file) {
  if (IsForeign(file) || file.find("..") == std::string::npos) return file;
  return fs::absolute(file).lexically_normal().string();
}

}  // namespace

std::vector<std::string> RootsOf(const std::vector<std::string>& files) {
  std::vector<std::string> roots{fs::current_path().string()};
  for (const std::string& file : files) {
    std::string path = file.starts_with("file://") ? file.substr(7) : file;
    if (IsForeign(path) || !path.starts_with('/')) continue;
    path.resize(std::min(path.find_first_of("*?["), path.size()));
    std::error_code ignored;
    const bool whole = fs::is_directory(path, ignored);
    const std::string root = whole ? path : fs::path(path).parent_path().string();
    if (std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
  }
  return roots;
}

void AddAsking(Command& command, AskFlags& flags) {
  ComposeOptions& compose = flags.compose;
  command.Text("SQL", compose.text, "SQL, or a command as JSON; - reads standard input")
      .Text("--file,-f", flags.file, "Read the SQL or the JSON command from this file")
      .Texts("--input,-i", compose.inputs,
             "name=VALUE, repeatable. x.parquet, a pattern, file:x, /x or a URI is a file;\n"
             "@x.json a nested command; anything else, or path:x/y, a flight path")
      .Texts("--param,-p", compose.params, "A value for ? or $1; name=VALUE for $name")
      .Group("Result")
      .Text("--sink,-s", compose.sink, "Keep the result under this path")
      .Choice("--reuse", compose.reuse, {"if_same", "if_fresh", "if_exists", "never", "only"},
              "When the flight there is the answer (if_same)")
      .Text("--ttl", compose.ttl, "Keep it this long: 90s, 15m, 2h, 7d")
      .Choice("--tier", compose.tier, {"memory", "disk", "object"}, "Where it is kept (disk)")
      .Number("--if-generation", flags.if_generation, 0, INT64_MAX,
              "Only if the path has this generation now; 0 = nothing there")
      .Group("Run")
      .Number("--priority", flags.priority, 0, 9, "9 goes first (5)")
      .Text("--deadline", compose.deadline, "The run must end within this time")
      .Text("--memory", compose.memory, "The run may hold this much: 512MiB")
      .Text("--retain", compose.retain, "Keep an unnamed result this long; 0 keeps nothing")
      .Flag("--no-share", compose.no_share, "Never attach to another caller's run")
      .Group("");
  AddConnection(command, flags.connect, ConnectFlags::Otherwise::kEmbedded);
}

Result<Asked> ReadAsked(AskFlags& flags) {
  ComposeOptions& compose = flags.compose;
  if (!flags.file.empty() && !compose.text.empty()) {
    return Fail(Kind::kInvalid, "give SQL or --file, not both");
  }
  if (!flags.file.empty()) {
    SHEAF_ASSIGN(compose.text, ReadText(flags.file));
  } else if (compose.text == "-") {
    SHEAF_ASSIGN(compose.text, ReadText("-"));
  }
  if (flags.priority >= 0) compose.priority = static_cast<int>(flags.priority);
  if (flags.if_generation >= 0) {
    compose.if_generation = static_cast<uint64_t>(flags.if_generation);
  }
  SHEAF_ASSIGN(Composed composed, Compose(compose, ReadText));
  Asked asked;
  if (flags.connect.embedded(ConnectFlags::Otherwise::kEmbedded)) {
    for (std::string& file : composed.files) {
      const std::string absolute = Absolute(file);
      for (Json& input : composed.command["inputs"]) {
        if (input.contains("spec") && input["spec"].value("uri", "") == file) {
          input["spec"]["uri"] = absolute;
        }
      }
      file = absolute;
    }
    asked.roots = RootsOf(composed.files);
  }
  SHEAF_ASSIGN(asked.command, sheaf::Command::FromJson(composed.command));
  asked.json = std::move(composed.command);
  return asked;
}

}  // namespace sheaf::app
