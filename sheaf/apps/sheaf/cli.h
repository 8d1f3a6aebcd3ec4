// Flags and subcommands: the one place that knows CLI11.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace sheaf::app {

// One subcommand while it is declared. Values live with the caller until the command has run; a
// name "--flag,-f" is an option, a bare word an argument by position.
class Command final {
 public:
  explicit Command(CLI::App* app, std::function<int()>* run) : app_(app), run_(run) {}

  Command& Text(const std::string& names, std::string& value, const std::string& help);
  Command& Texts(const std::string& names, std::vector<std::string>& values,
                 const std::string& help);
  Command& Flag(const std::string& names, bool& value, const std::string& help);
  Command& Number(const std::string& names, int64_t& value, int64_t min, int64_t max,
                  const std::string& help);
  Command& Choice(const std::string& names, std::string& value,
                  const std::vector<std::string>& words, const std::string& help);
  // Of the last one added:
  Command& Required();
  Command& NotEmpty(const std::string& what);  // "expected …".
  Command& Excludes(const std::string& name);  // Both at once are a usage error.

  Command& Group(const std::string& name);      // Of what is added from here on, in the help.
  Command& Examples(const std::string& lines);  // "$ sheaf …", below the help.
  Command& Does(std::function<int()> run);      // Returns the exit code.
  Command Sub(const std::string& name, const std::string& help);

 private:
  CLI::App* app_;                // Owned by the Cli.
  std::function<int()>* run_;    // The Cli's.
  CLI::Option* last_ = nullptr;  // Owned by the app.
  std::string group_;
};

// What completion needs to know of a command.
struct CommandFacts {
  std::string name, help;
  std::vector<std::string> flags;  // "--format"
  std::vector<CommandFacts> commands;
};

// Owner: main. Threads: one.
class Cli final {
 public:
  Cli(const std::string& name, const std::string& help, const std::string& footer,
      const std::string& version);
  ~Cli();
  Command Add(const std::string& name, const std::string& help);
  // Parses and runs; kExitUsage with a sentence on standard error when it does not parse.
  int Run(int argc, char** argv);
  CommandFacts Facts() const;

 private:
  std::unique_ptr<CLI::App> app_;
  std::function<int()> run_;
};

}  // namespace sheaf::app
