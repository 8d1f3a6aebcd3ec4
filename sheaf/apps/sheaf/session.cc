#include "sheaf/apps/sheaf/session.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "sheaf/adapters/flights/flights.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

Result<std::string> TokenOf(const ConnectFlags& flags) {
  std::string token;
  if (!flags.token_file.empty()) {
    SHEAF_ASSIGN(token, ReadText(flags.token_file));
  } else if (const char* variable = std::getenv("SHEAF_TOKEN")) {  // NOLINT(concurrency-mt-unsafe)
    token = variable;
  }
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  return token;
}

}  // namespace

void AddConnection(Command& command, ConnectFlags& flags, ConnectFlags::Otherwise otherwise) {
  const bool embedded = otherwise == ConnectFlags::Otherwise::kEmbedded;
  // What a flag says takes its place; and --state is said by a flag.
  const char* variable = std::getenv("SHEAF_SERVER");  // NOLINT(concurrency-mt-unsafe)
  if (variable != nullptr) flags.server = variable;
  command.Group("Connection")
      .Text("--server,--url", flags.server,
            embedded ? "A running node, grpc://host:port, else SHEAF_SERVER; without either\n"
                       "the work is done here"
                     : "A running node, else SHEAF_SERVER, else " + std::string(kDefaultServer))
      .Text("--token-file", flags.token_file, "File with the bearer token, else SHEAF_TOKEN")
      .Text("--tls-ca", flags.tls_ca, "PEM file of the certificates to trust")
      .Text("--timeout", flags.timeout, "Give up after this time: 90s, 5m")
      .Text("--state", flags.config.state, "State directory of a node in this process")
      .NotEmpty("a directory")
      .Excludes("--server")
      .Text("--config", flags.config.file, "TOML file of a node in this process")
      .Texts("--set", flags.config.sets, "key=value of a node in this process, repeatable")
      .Group("");
}

Session::Session()
    : signals_([this](int count, int number) {
        if (count > 1) ::_exit(kExitSignal + number);
        told_ = number;
        std::fputs("\nsheaf: cancelling; Ctrl-C again ends at once\n", stderr);
        cancel_.Cancel(Fail(Kind::kCancelled, "interrupted"));
      }) {
  context_.cancel = cancel_.token();
}

int Session::OpenServer(const ConnectFlags& flags) {
  flights::RemoteOptions options;
  auto token = TokenOf(flags);
  if (!token.ok()) return ReportUsage(token.error());
  options.token = std::move(token).value();
  if (!flags.tls_ca.empty()) {
    auto roots = ReadText(flags.tls_ca);
    if (!roots.ok()) return ReportUsage(roots.error());
    options.tls_roots = std::move(roots).value();
  }
  const std::string server = flags.server.empty() ? kDefaultServer : flags.server;
  auto remote = flights::OpenRemote(server, clock_, std::move(options));
  if (!remote.ok()) return ReportUsage(remote.error());
  remote_ = std::move(remote).value();
  return kExitOk;
}

int Session::OpenNode(const ConnectFlags& flags, const std::vector<std::string>& roots) {
  auto config = ReadConfig(flags.config);
  if (!config.ok()) return ReportUsage(config.error());
  const bool kept = config->Origin("state.dir") != "default";
  const std::string& state = config->settings().state.dir;
  std::error_code ignored;
  if (kept && flags.new_state == ConnectFlags::NewState::kRefused &&
      !std::filesystem::exists(state, ignored)) {
    return ReportUsage(Fail(Kind::kInvalid, "there is no state directory '" + state + "'"));
  }
  Started started =
      StartNode({.config = std::move(config).value(),
                 .mode = NodeOptions::Mode::kEmbedded,
                 .state = kept ? NodeOptions::State::kKept : NodeOptions::State::kTemporary,
                 .roots = roots});
  if (started.failed) return ReportStart(*started.failed);
  node_ = std::move(started.node);
  return kExitOk;
}

int Session::Open(const ConnectFlags& flags, ConnectFlags::Otherwise otherwise,
                  const std::vector<std::string>& roots) {
  if (!flags.timeout.empty()) {
    auto timeout = ParseDuration(flags.timeout);
    if (!timeout.ok()) return ReportUsage(std::move(timeout).error().In("--timeout"));
    context_.deadline = Deadline::After(clock_, *timeout);
  }
  return flags.embedded(otherwise) ? OpenNode(flags, roots) : OpenServer(flags);
}

Result<Json> Session::Ask(std::string_view action, const Json& body) {
  SHEAF_ASSIGN(auto answers, flights().Do(action, body, context()));
  if (answers.empty()) return Fail(Kind::kInternal, std::string(action) + " gave no answer");
  return std::move(answers.front());
}

int ReportStart(const StartError& failed) {
  // The message names the directory or the address; there is nothing to add to it.
  ReportUsage(failed.error);
  switch (failed.stage) {
    case StartStage::kSettings: return kExitUsage;
    case StartStage::kState: return kExitState;
    case StartStage::kListen: return kExitConnection;
  }
  __builtin_unreachable();
}

int WithSession(const ConnectFlags& flags, ConnectFlags::Otherwise otherwise,
                const std::vector<std::string>& roots,
                const std::function<Status(Session&)>& work) {
  Session session;
  if (const int failed = session.Open(flags, otherwise, roots); failed != kExitOk) return failed;
  const Status done = work(session);
  int code = kExitOk;
  if (!done.ok()) code = Report(done.error());
  if (session.told_ != 0) code = kExitSignal + session.told_;
  if (session.node_ != nullptr) {
    session.node_->Stop(Duration(0));
    code = FlushOutput(code);
    if (session.node_->left_behind()) std::_Exit(code);
  }
  return code;
}

}  // namespace sheaf::app
