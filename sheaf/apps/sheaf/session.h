// What a command talks to: a server, or a whole node of its own in this process.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/apps/sheaf/cli.h"
#include "sheaf/apps/sheaf/configuration.h"
#include "sheaf/apps/sheaf/node.h"
#include "sheaf/apps/sheaf/signals.h"
#include "sheaf/ports/flights/flights.h"

namespace sheaf::app {

inline constexpr const char* kDefaultServer = "grpc://127.0.0.1:8815";

struct ConnectFlags {
  std::string server;      // --server, SHEAF_SERVER
  std::string token_file;  // --token-file; else SHEAF_TOKEN
  std::string tls_ca;      // --tls-ca
  std::string timeout;     // --timeout
  ConfigFlags config;      // Of an embedded node: --config, --state, --set

  // Of an embedded node: a command that only looks makes no directory for a name mistyped.
  enum class NewState : uint8_t { kRefused, kMade } new_state = NewState::kRefused;

  // Without a server and without a state directory of its own.
  enum class Otherwise : uint8_t { kEmbedded, kDefaultServer };
  // --state beside --server does not parse: with a state, the server is only SHEAF_SERVER's.
  bool embedded(Otherwise otherwise) const {
    return !config.state.empty() || (server.empty() && otherwise == Otherwise::kEmbedded);
  }
};
// Declares the flags in the group "Connection".
void AddConnection(Command& command, ConnectFlags& flags, ConnectFlags::Otherwise otherwise);

// Owner: the command. Threads: one; Ctrl-C cancels its context, a second one ends the process.
class Session final {
 public:
  flights::Flights& flights() { return node_ != nullptr ? node_->flights() : *remote_; }
  // The command's own: cancelled by Ctrl-C, over when --timeout is.
  const flights::Context& context() const { return context_; }
  Clock& clock() { return clock_; }
  // One answer of an action.
  Result<Json> Ask(std::string_view action, const Json& body);

 private:
  friend int WithSession(const ConnectFlags&, ConnectFlags::Otherwise,
                         const std::vector<std::string>&, const std::function<Status(Session&)>&);
  Session();
  // Reports what is wrong; kExitOk when it is open.
  int Open(const ConnectFlags& flags, ConnectFlags::Otherwise otherwise,
           const std::vector<std::string>& roots);
  int OpenServer(const ConnectFlags& flags);
  int OpenNode(const ConnectFlags& flags, const std::vector<std::string>& roots);

  time::SystemClock clock_;
  CancelSource cancel_;
  std::atomic<int> told_{0};  // The signal that ended the command.
  Signals signals_;           // Before every thread but its own.
  flights::Context context_;
  std::unique_ptr<flights::Flights> remote_;
  std::unique_ptr<Node> node_;
};

// Opens a session, does the work, reports its error; returns the exit code. `roots` are what an
// embedded node may read beside files.roots.
int WithSession(const ConnectFlags& flags, ConnectFlags::Otherwise otherwise,
                const std::vector<std::string>& roots, const std::function<Status(Session&)>& work);

// The exit code of a node that did not start; the reason is reported.
int ReportStart(const StartError& failed);

}  // namespace sheaf::app
