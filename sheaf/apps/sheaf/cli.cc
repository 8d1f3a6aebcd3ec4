#include "sheaf/apps/sheaf/cli.h"

#include <CLI/CLI.hpp>

#include <string_view>
#include <utility>
#include <vector>

#include "sheaf/apps/sheaf/exit.h"

namespace sheaf::app {
namespace {

CommandFacts FactsOf(const CLI::App& app) {
  CommandFacts facts{.name = app.get_name(), .help = app.get_description()};
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) facts.flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) facts.flags.push_back("-" + name);
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    facts.commands.push_back(FactsOf(*sub));
  }
  return facts;
}

// What the parser's error means when a word stands where a command should; else nothing.
std::string UnknownCommand(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string_view> names;
  for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  const auto left = app.remaining(/*recurse=*/true);
  if (names.empty() || left.empty() || left.front().starts_with('-')) return "";
  return core::UnknownWord("command", left.front(), names);
}

}  // namespace

Command& Command::Text(const std::string& names, std::string& value, const std::string& help) {
  last_ = app_->add_option(names, value, help)->type_name("TEXT");
  if (!group_.empty()) last_->group(group_);
  return *this;
}

Command& Command::Texts(const std::string& names, std::vector<std::string>& values,
                        const std::string& help) {
  last_ = app_->add_option(names, values, help)->type_name("TEXT");
  // As an option it takes one value each time it is given; by position, all that are left.
  if (names.starts_with('-')) last_->type_size(1)->allow_extra_args(false);
  if (!group_.empty()) last_->group(group_);
  return *this;
}

Command& Command::Flag(const std::string& names, bool& value, const std::string& help) {
  last_ = app_->add_flag(names, value, help);
  if (!group_.empty()) last_->group(group_);
  return *this;
}

Command& Command::Number(const std::string& names, int64_t& value, int64_t min, int64_t max,
                         const std::string& help) {
  last_ = app_->add_option(names, value, help)->type_name("N")->check(CLI::Range(min, max));
  if (!group_.empty()) last_->group(group_);
  return *this;
}

Command& Command::Choice(const std::string& names, std::string& value,
                         const std::vector<std::string>& words, const std::string& help) {
  std::string shown;
  for (const auto& word : words) shown += (shown.empty() ? "" : "|") + word;
  const auto known = [words, shown](const std::string& given) {
    for (const auto& word : words) {
      if (given == word) return std::string();
    }
    return "'" + given + "' is none of " + shown;
  };
  last_ = app_->add_option(names, value, help)->type_name(shown)->check(known);
  if (!group_.empty()) last_->group(group_);
  return *this;
}

Command& Command::Required() {
  last_->required();
  return *this;
}

Command& Command::NotEmpty(const std::string& what) {
  last_->check(
      [what](const std::string& given) { return given.empty() ? "expected " + what : ""; });
  return *this;
}

Command& Command::Excludes(const std::string& name) {
  last_->excludes(app_->get_option(name));
  return *this;
}

Command& Command::Group(const std::string& name) {
  group_ = name;
  return *this;
}

Command& Command::Examples(const std::string& lines) {
  app_->footer("Examples:\n" + lines);
  return *this;
}

Command& Command::Does(std::function<int()> run) {
  app_->callback([slot = run_, run = std::move(run)] { *slot = run; });
  return *this;
}

Command Command::Sub(const std::string& name, const std::string& help) {
  app_->require_subcommand(1);
  return Command(app_->add_subcommand(name, help), run_);
}

Cli::Cli(const std::string& name, const std::string& help, const std::string& footer,
         const std::string& version)
    : app_(std::make_unique<CLI::App>(help, name)) {
  app_->footer(footer);
  app_->require_subcommand(1);
  app_->set_version_flag("--version", name + " " + version);
  app_->set_help_flag("-h,--help", "Print this help and exit");
  app_->get_formatter()->column_width(34);
}

Cli::~Cli() = default;

Command Cli::Add(const std::string& name, const std::string& help) {
  return Command(app_->add_subcommand(name, help), &run_);
}

int Cli::Run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app_->exit(success);
  } catch (const CLI::ParseError& error) {
    std::string command = app_->get_name();
    for (const CLI::App* sub : app_->get_subcommands()) command += " " + sub->get_name();
    const std::string unknown = UnknownCommand(*app_);
    std::cerr << "sheaf: " << (unknown.empty() ? error.what() : unknown) << "\n       see `"
              << command << " --help`\n";
    return kExitUsage;
  }
  return FlushOutput(run_());
}

CommandFacts Cli::Facts() const { return FactsOf(*app_); }

}  // namespace sheaf::app
