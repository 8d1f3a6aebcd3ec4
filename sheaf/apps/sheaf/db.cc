#include "sheaf/apps/sheaf/db.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/private_file.h"
#include "sheaf/apps/sheaf/signals.h"
#include "sheaf/apps/sheaf/terminal.h"

namespace sheaf::app {
namespace {

// Counting or emptying a large table takes its time.
constexpr Duration kStatementLong = std::chrono::hours(1);

class OpenDatabase final : public DbSession {
 public:
  OpenDatabase()
      : signals_([this](int count, int number) {
          if (count > 1) ::_exit(kExitSignal + number);
          told_ = number;
          ending_->Set();
          std::fputs("\nsheaf: ending; Ctrl-C again ends at once\n", stderr);
        }),
        executor_({.name = "db", .threads_max = 2, .queue_max = 64}),
        progress_(clock_),
        report_([this](const persistence::Doing& doing) -> Status {
          if (told_ != 0) return Fail(Kind::kCancelled, "interrupted");
          progress_.ShowDoing(doing.what, doing.done, doing.total);
          return Done();
        }) {}

  // The settings; reports what is wrong with them.
  int Read(const DbFlags& flags) {
    ConfigFlags asked = flags.config;
    if (!flags.backend.empty()) asked.sets.push_back("persistence.backend=" + flags.backend);
    auto config = ReadConfig(asked);
    if (!config.ok()) return ReportUsage(config.error());
    if (auto checked = config->Check(); !checked.ok()) return ReportUsage(checked.error());
    settings_ = config->settings();
    state_dir_ = std::filesystem::absolute(settings_.state.dir).lexically_normal().string();
    named_ = config->Origin("state.dir") != "default";
    older_ = flags.older;
    return kExitOk;
  }

  int Open(persistence::Opening opening) {
    if (const int missing = named_ ? ExpectState(*this) : kExitOk; missing != kExitOk) {
      return missing;
    }
    auto backend = OpenBackend(settings_.persistence.backend, parts(opening));
    if (!backend.ok()) {
      // What was said of it, not what was found there.
      if (backend.error().kind == Kind::kInvalid) return ReportUsage(backend.error());
      ReportHere(backend.error());
      if (persistence::IsScopeHeld(backend.error())) return kExitHeld;
      return kExitState;
    }
    backend_ = *std::move(backend);
    return kExitOk;
  }

  int told() const { return told_; }
  void EndLine() { progress_.Clear(); }

  const Settings& settings() const override { return settings_; }
  const std::string& state_dir() const override { return state_dir_; }
  Clock& clock() override { return clock_; }
  BackendParts parts(persistence::Opening opening) override {
    return {.state_dir = state_dir_,
            .clock = clock_,
            .background = executor_,
            .older = older_,
            .statement_timeout = kStatementLong,
            .ending = ending_,
            .password_file = settings_.persistence.password_file,
            .opening = opening};
  }
  Backend& backend() override { return backend_; }
  const persistence::Report& report() override { return report_; }
  Result<persistence::Administration*> administration() override {
    if (backend_.parts.administration != nullptr) return backend_.parts.administration.get();
    return Fail(Kind::kUnsupported, "the back end " + backend_.shown +
                                        " has nothing to administer; sqlite: and postgresql: do");
  }

 private:
  time::SystemClock clock_;
  std::atomic<int> told_{0};  // The signal that ended the command.
  std::shared_ptr<Event> ending_ = std::make_shared<Event>();
  Signals signals_;  // Before every thread but its own.
  Executor executor_;
  ProgressLine progress_;
  const persistence::Report report_;
  Settings settings_;
  std::string state_dir_;
  bool named_ = false;  // The state directory, by somebody.
  std::optional<persistence::OlderSchema> older_;
  Backend backend_;
};

// Without an opening nothing is opened.
int Run(const DbFlags& flags, std::optional<persistence::Opening> opening, const DbWork& work) {
  OpenDatabase opened;
  if (const int failed = opened.Read(flags); failed != kExitOk) return failed;
  if (opening.has_value()) {
    const int failed = opened.Open(*opening);
    if (opened.told() != 0) return kExitSignal + opened.told();
    if (failed != kExitOk) return failed;
  }
  const Result<int> done = work(opened);
  opened.EndLine();
  if (opened.told() != 0) return kExitSignal + opened.told();
  if (done.ok()) return *done;
  const int code = ReportHere(done.error());
  return persistence::IsScopeHeld(done.error()) ? kExitHeld : code;
}

}  // namespace

int ExpectState(const DbSession& session) {
  if (IsThere(session.state_dir())) return kExitOk;
  return ReportUsage(
      Fail(Kind::kInvalid, "there is no state directory '" + session.state_dir() + "'"));
}

void AddDbFlags(Command& command, DbFlags& flags) {
  command.Flag("--json", flags.json, "JSON on standard output")
      .Group("Database")
      .Text("--backend", flags.backend,
            "sqlite:FILE, postgresql://…; else persistence.backend of the configuration")
      .Text("--state", flags.config.state, "State directory of the node")
      .NotEmpty("a directory")
      .Text("--config", flags.config.file, "TOML file of the node")
      .Texts("--set", flags.config.sets, "key=value of the node, repeatable")
      .Group("");
}

int WithDatabase(const DbFlags& flags, const DbWork& work) {
  return Run(flags, persistence::Opening::kPrepare, work);
}
int LookAtDatabase(const DbFlags& flags, const DbWork& work) {
  return Run(flags, persistence::Opening::kLook, work);
}
int WithDbSettings(const DbFlags& flags, const DbWork& work) {
  return Run(flags, std::nullopt, work);
}

}  // namespace sheaf::app
