// An HTTP/1.1 server with limits on everything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sheaf/base/core/bytes.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/time/clock.h"
#include "sheaf/drivers/http/message.h"

namespace sheaf::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // An address, or "localhost".
  uint16_t port = 0;               // 0 = any free one.
  size_t threads = 2;              // One loop each; connections are dealt round robin.
  Bytes header_bytes_max = 8_KiB;  // 431 above it.
  Bytes body_bytes_max = 1_MiB;    // 413 above it, before it is read if the length is given.
  size_t connections_max = 10'000;  // 503 above it.
  Duration request_limit = std::chrono::seconds(15);  // First to last byte of a request: 408.
  Duration answer_limit = std::chrono::seconds(60);   // From there to the handler's answer: 504.
  Duration write_limit = std::chrono::seconds(30);    // First to last byte of an answer.
  Duration idle_limit = std::chrono::seconds(60);     // Between requests.
  Duration linger_limit = std::chrono::seconds(1);    // Reading on after a refusal.
  Duration sweep_every = std::chrono::milliseconds(500);  // How exact the limits are.
  // The body of what the server itself refuses; null = one line of plain text.
  std::function<Response(int status, std::string_view why)> refusal;
};

// Gives the answer: once, from any thread; later calls do nothing. When the last copy dies without
// an answer the client gets 500.
using Answer = std::function<void(Response)>;
// Called on a loop's thread: short work may be done there, long work is to be posted elsewhere.
using Handler = std::function<void(Request, Answer)>;

// Owner: main or the room that serves. Threads: port from any; Stop from one, not a loop's own.
// Blocking: Stop waits for running requests, at most `grace`, then cancels them.
// Errors: Start: kInvalid (no address), kDependency (cannot listen: in use, no right).
class Server final {
 public:
  // `clock` is borrowed and outlives the server; limits are counted on it.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Clock& clock,
                                               Handler handler);
  ~Server();  // Stop with no grace, if nobody has.
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  size_t connections() const;
  // Takes no more connections, closes idle ones, lets requests end within `grace` (of real time).
  void Stop(Duration grace);

 private:
  struct Core;
  struct Pending;
  explicit Server(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;  // Shared with answers that come too late.
};

// Raises the process's soft limit of open files to its hard one; the limit that then holds.
size_t RaiseDescriptorLimit();

}  // namespace sheaf::http
