// The server's inside: loops, sessions, and what they share. Internal to this room: beast.cc alone
// includes it, so that Beast and Asio are compiled once.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "sheaf/base/async/async.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/http/http.h"

namespace sheaf::http {
namespace asio = boost::asio;
using boost::system::error_code;

// One concrete executor all along: nothing is type-erased on the way of a request.
using Loop = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Loop>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Loop>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Loop>;
template <typename T>
using Task = asio::awaitable<T, Loop>;
inline constexpr auto kTuple = asio::as_tuple(asio::use_awaitable_t<Loop>{});

inline constexpr Instant kNever = Instant::max();

// One client. Lives on one loop; only Answer reaches it from elsewhere, by posting.
struct Session : std::enable_shared_from_this<Session> {
  enum class Phase : uint8_t { kIdle, kReading, kHandling, kWriting };

  Session(Socket s, std::string from, std::function<void()> gone)
      : socket(std::move(s)),
        peer(std::move(from)),
        answered(socket.get_executor(), std::chrono::steady_clock::time_point::max()),
        on_gone(std::move(gone)) {}
  ~Session() { on_gone(); }

  // Wakes whoever waits for the handler. An answer to an earlier request is too late.
  void Give(uint64_t to, Response given) {
    if (to != serial || response.has_value() || phase != Phase::kHandling) return;
    response = std::move(given);
    answered.cancel();
  }

  Socket socket;
  const std::string peer;
  Timer answered;  // Never expires; cancelled when there is an answer.
  std::function<void()> on_gone;
  boost::beast::flat_buffer buffer{size_t{256} << 10};
  Phase phase = Phase::kIdle;
  Instant deadline = kNever;
  bool expired = false;
  bool aborted = false;
  uint64_t serial = 0;  // Of the request; late answers and watches know themselves by it.
  std::optional<Response> response;
  CancelSource cancel;
};

// One loop, its thread's alone.
struct Worker {
  explicit Worker() : context(1), sweep(context.get_executor()), guard(context.get_executor()) {}
  asio::io_context context;
  Timer sweep;
  asio::executor_work_guard<Loop> guard;
  std::set<Session*> sessions;  // Each is alive while its coroutine runs.
  bool ending = false;
};

// A request as read, and what its connection may do after it.
struct Incoming {
  Request request;
  Connection connection = Connection::kKeepAlive;
};

enum class Body : uint8_t { kSent, kLeftOut };

struct Server::Core : std::enable_shared_from_this<Server::Core> {
  Core(ServerOptions o, Clock& c, Handler h)
      : options(std::move(o)),
        clock(c),
        handler(std::move(h)),
        threads({.name = "http", .threads_max = options.threads, .queue_max = options.threads}) {
    for (size_t i = 0; i < options.threads; ++i) workers.emplace_back();
  }

  Status Listen();
  void Run();
  void Stop(Duration grace);
  bool AwaitEmpty(Instant until);

  Task<void> Accept();
  Task<void> Sweep(Worker& worker);
  Task<void> Serve(Worker& worker, std::shared_ptr<Session> session);
  Task<bool> ServeOne(Session& session);
  Task<std::optional<Incoming>> Read(Session& session);
  Task<bool> Write(Session& session, Response response, Connection connection, Body body);
  Task<void> Refuse(Session& session, int status, std::string why);
  Task<void> Handle(Session& session, Request request);
  void WatchForGoing(Session& session);
  void Expire(Session& session);
  void Enter(Session& session, Session::Phase phase, Duration limit) {
    session.phase = phase;
    session.expired = false;
    session.deadline = clock.Now() + limit;
  }

  ServerOptions options;
  Clock& clock;  // Borrowed from main; outlives the server.
  const Handler handler;
  std::deque<Worker> workers;
  std::optional<Acceptor> acceptor;
  uint16_t port = 0;
  Gate gate;  // Answers from outside; closed before the loops end.
  std::atomic<bool> draining{false};
  mutable Mutex mutex;
  CondVar gone;
  size_t open SHEAF_GUARDED_BY(mutex) = 0;
  bool stopped SHEAF_GUARDED_BY(mutex) = false;
  Executor threads;  // Last: joined before the loops die.
};

// One request's answer, until it is given; 500 when nobody does.
struct Server::Pending {
  Pending(std::shared_ptr<Core> c, std::shared_ptr<Session> s)
      : core(std::move(c)), session(s), serial(s->serial) {}
  ~Pending() { Give(core->options.refusal(500, "the request was not answered")); }
  void Give(Response response) {
    if (given.exchange(true)) return;
    const auto pass = core->gate.Enter();
    const auto alive = pass ? session.lock() : nullptr;
    if (alive == nullptr) return;
    asio::dispatch(alive->socket.get_executor(),
                   [alive, to = serial, response = std::move(response)]() mutable {
                     alive->Give(to, std::move(response));
                   });
  }

  const std::shared_ptr<Core> core;  // Shared: an answer may come after the server's end.
  const std::weak_ptr<Session> session;
  const uint64_t serial;
  std::atomic<bool> given{false};
};

}  // namespace sheaf::http
