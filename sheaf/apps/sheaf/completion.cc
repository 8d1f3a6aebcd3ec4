#include "sheaf/apps/sheaf/completion.h"

#include "sheaf/base/core/core.h"

namespace sheaf::app {
namespace {

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string Names(const std::vector<CommandFacts>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) names.push_back(command.name);
  return Joined(names);
}

// For single quotes of a shell.
std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string Bash(const CommandFacts& program) {
  std::string cases;
  for (const auto& command : program.commands) {
    cases += "    " + command.name + ") words=\"" + Joined(command.flags);
    if (!command.commands.empty()) cases += " " + Names(command.commands);
    cases += "\" ;;\n";
  }
  return "_" + program.name +
         "() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} words\n"
         "  if [[ $COMP_CWORD == 1 ]]; then\n"
         "    COMPREPLY=($(compgen -W \"" +
         Names(program.commands) + " " + Joined(program.flags) +
         "\" -- \"$current\"))\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "  esac\n"
         "  if [[ $current == -* || ${COMP_WORDS[1]} =~ ^(config|completion)$ ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _" +
         program.name + " " + program.name + "\n";
}

std::string Zsh(const CommandFacts& program) {
  std::string commands;
  std::string cases;
  for (const auto& command : program.commands) {
    commands += "    " + Quoted(command.name + ":" + command.help) + "\n";
    cases += "    " + command.name + ") compadd -- " + Joined(command.flags) + " " +
             Names(command.commands) + " ;;\n";
  }
  return "#compdef " + program.name +
         "\n"
         "_" +
         program.name +
         "() {\n"
         "  local -a commands=(\n" +
         commands +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  case $words[2] in\n" +
         cases +
         "  esac\n"
         "  [[ $PREFIX == -* ]] || _files\n"
         "}\n"
         "_" +
         program.name + " \"$@\"\n";
}

std::string Fish(const CommandFacts& program) {
  std::string out;
  for (const auto& command : program.commands) {
    out += "complete -c " + program.name + " -n __fish_use_subcommand -a " + command.name + " -d " +
           Quoted(command.help) + "\n";
    const std::string where = " -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const auto& flag : command.flags) {
      const bool lengthy = flag.starts_with("--");
      out += "complete -c " + program.name + where + (lengthy ? " -l " : " -s ") +
             flag.substr(lengthy ? 2 : 1) + "\n";
    }
    for (const auto& sub : command.commands) {
      out += "complete -c " + program.name + where + " -a " + sub.name + " -d " + Quoted(sub.help) +
             "\n";
    }
  }
  return out;
}

}  // namespace

std::string CompletionScript(const std::string& shell, const CommandFacts& program) {
  if (shell == "bash") return Bash(program);
  if (shell == "zsh") return Zsh(program);
  SHEAF_CHECK(shell == "fish");
  return Fish(program);
}

}  // namespace sheaf::app
