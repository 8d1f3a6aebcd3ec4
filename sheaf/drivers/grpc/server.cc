#include "sheaf/drivers/grpc/server.h"

#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstring>
#include <mutex>

#include "sheaf/base/async/async.h"

namespace sheaf::grpc {
namespace {

using std::chrono::milliseconds;

// How long a cancelled call has to send its status before its connection is cut.
constexpr Duration kLastWord = milliseconds(500);

int Milliseconds(Duration duration) {
  const auto count = std::chrono::duration_cast<milliseconds>(duration).count();
  return static_cast<int>(std::clamp<int64_t>(count, 1, INT_MAX));
}

int Limit(Bytes bytes) { return static_cast<int>(std::min<int64_t>(bytes.count, INT_MAX)); }

std::string Address(const ServerOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return (v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

// gRPC does not say why it could not listen; the system does, when it is asked once more.
std::string WhyNot(const ServerOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(options.port);
  if (const int code = ::getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found)) {
    return ::gai_strerror(code);
  }
  std::string why = "it was busy a moment ago";
  const int fd = ::socket(found->ai_family, found->ai_socktype, found->ai_protocol);
  const int on = 1;
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || ::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, 1) != 0) {
    why = std::strerror(errno);
  }
  if (fd >= 0) ::close(fd);
  ::freeaddrinfo(found);
  return why;
}

std::shared_ptr<::grpc::ServerCredentials> Credentials(const std::optional<TlsFiles>& tls) {
  if (!tls.has_value()) return ::grpc::InsecureServerCredentials();
  namespace ge = ::grpc::experimental;
  constexpr unsigned kLookEverySeconds = 1;
  const auto provider = std::make_shared<ge::FileWatcherCertificateProvider>(
      tls->key, tls->certificate, tls->client_ca, kLookEverySeconds);
  ge::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  options.set_identity_cert_name("");
  if (tls->client_ca.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_root_cert_name("");
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return ge::TlsServerCredentials(options);
}

// Switches of the whole process, to be thrown before a builder is made. The library itself is
// never shut down: it would wait, for up to ten seconds, for sockets that the last connections
// have not closed yet.
void PrepareLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Debian's build looks for cycles at every lock of every call.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    ::grpc_init();
    ::grpc::EnableDefaultHealthCheckService(true);
    ::grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

void Configure(const ServerOptions& options, ::grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(Limit(options.receive_bytes_max));
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);  // Nobody asks; every call would pay.
  // Two servers on one port would share the calls in secret.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_max);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             Milliseconds(options.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Callers may ask as often as once a second whether we are here.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
  if (options.transport_bytes_max.count > 0) {
    ::grpc::ResourceQuota quota("server");
    quota.Resize(static_cast<size_t>(options.transport_bytes_max.count));
    builder.SetResourceQuota(quota);
  }
}

class ServerImpl final : public Server {
 public:
  ServerImpl(std::unique_ptr<::grpc::Server> server, int port, Registry& registry)
      : port_(port), registry_(registry), server_(std::move(server)) {}
  ~ServerImpl() override { Stop(Duration(0)); }

  int port() const override { return port_; }

  void SetServing(bool serving) override {
    if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(serving);
  }

  void Stop(Duration grace) override {
    std::call_once(stopped_, [&] { StopOnce(grace); });
  }

 private:
  void StopOnce(Duration grace) {
    SetServing(false);
    Event down;
    // Shutdown refuses new calls at once and blocks until the old ones are gone.
    const bool posted = stopper_.TryPost([&] {
      server_->Shutdown();
      down.Set();
    });
    SHEAF_CHECK(posted);
    if (!registry_.WaitEmpty(grace)) {
      registry_.CancelAll(Fail(Kind::kShuttingDown, "the server is stopping"));
      static_cast<void>(registry_.WaitEmpty(kLastWord));
    }
    // Whoever is left neither reads nor leaves: a stalled stream, or a watcher of our health.
    while (!down.WaitFor(milliseconds(50))) ::grpc_server_cancel_all_calls(server_->c_server());
    static_cast<void>(registry_.WaitEmpty(Duration::max()));
  }

  const int port_;
  Registry& registry_;  // Borrowed from the driver.
  std::once_flag stopped_;
  const std::unique_ptr<::grpc::Server> server_;
  Executor stopper_{{.name = "grpc-stop", .threads_max = 1, .queue_max = 1}};
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              const std::vector<::grpc::Service*>& services,
                                              Registry& registry) {
  PrepareLibrary();
  ::grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(Address(options), Credentials(options.tls), &port);
  for (auto* service : services) builder.RegisterService(service);
  Configure(options, builder);
  auto server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    return Fail(Kind::kDependency, "cannot listen on " + Address(options) + ": " + WhyNot(options));
  }
  if (auto* health = server->GetHealthCheckService(); health && !options.health_name.empty()) {
    health->SetServingStatus(options.health_name, false);  // Known; SetServing says it of all.
  }
  return std::make_unique<ServerImpl>(std::move(server), port, registry);
}

}  // namespace sheaf::grpc
