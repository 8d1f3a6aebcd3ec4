// A gRPC server: one address, its services, health and reflection, and a stop that ends.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/grpc/registry.h"
#include "sheaf/drivers/grpc/tls.h"

namespace sheaf::grpc {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0 = any free one.
  std::optional<TlsFiles> tls;
  Bytes receive_bytes_max = 512_MiB;
  Bytes transport_bytes_max{};  // Of all connections' buffers; 0 = no limit of gRPC's own.
  int streams_max = 4096;       // A connection.
  std::string health_name;      // A service that health is asked for by name, beside "".
  Duration keepalive = std::chrono::milliseconds(2000);
  Duration keepalive_timeout = std::chrono::milliseconds(2000);
};

// Owner: the driver of a protocol. Threads: any. Blocking: Start binds, Stop waits.
class Server {
 public:
  // `services` and `registry` are borrowed; every reactor of the services is in the registry.
  // kDependency naming the address when it cannot be bound.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                               const std::vector<::grpc::Service*>& services,
                                               Registry& registry);
  virtual ~Server() = default;  // Stops at once if nobody called Stop.
  virtual int port() const = 0;
  // What gRPC's health service says of every service: SERVING or NOT_SERVING.
  virtual void SetServing(bool serving) = 0;
  // Refuses new calls, lets running ones end within `grace`, then cancels them with
  // kShuttingDown; returns when the last reactor is gone. Only the first call does anything.
  virtual void Stop(Duration grace) = 0;
};

}  // namespace sheaf::grpc
