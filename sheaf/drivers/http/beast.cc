// The one translation unit that compiles Beast: the server's sessions, and the client.
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <tuple>
#include <utility>

#include "sheaf/drivers/http/loops.h"

namespace sheaf::http {
namespace {

namespace wire = boost::beast::http;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

template <typename Fields>
Headers HeadersOf(const Fields& fields) {
  Headers headers;
  for (const auto& field : fields) {
    const auto name = field.name_string();
    const auto value = field.value();
    auto [at, fresh] = headers.try_emplace(Lower({name.data(), name.size()}));
    if (!fresh) at->second += ", ";
    at->second.append(value.data(), value.size());
  }
  return headers;
}

std::string PeerOf(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "unknown";
  const bool six = endpoint.address().is_v6();
  return (six ? "[" : "") + endpoint.address().to_string() + (six ? "]:" : ":") +
         std::to_string(endpoint.port());
}

Response PlainRefusal(int status, std::string_view why) {
  Response response{.status = status, .content_type = "text/plain; charset=utf-8"};
  response.body = std::string(why) + "\n";
  return response;
}

// Which answer a failed read deserves; 0 = none, the client is gone.
int StatusOf(const error_code& error) {
  if (error == wire::error::header_limit) return 431;
  if (error == wire::error::body_limit) return 413;
  if (error == wire::error::end_of_stream || error == wire::error::partial_message) return 0;
  // All other errors of the parser are the client's fault; those of the socket have no reader.
  static const auto& parser = wire::make_error_code(wire::error::bad_method).category();
  return error.category() == parser ? 400 : 0;
}

std::string WhyOf(int status, const error_code& error) {
  if (status == 408) return "the request took too long";
  if (status == 413) return "the body is above the limit";
  if (status == 431) return "the header is above the limit";
  return "bad request: " + error.message();
}

}  // namespace

Status Server::Core::Listen() {
  error_code error;
  const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
  const auto address = asio::ip::make_address(host, error);
  if (error) return Fail(Kind::kInvalid, "'" + options.host + "' is no address to listen on");
  const asio::ip::tcp::endpoint endpoint(address, options.port);
  acceptor.emplace(workers.front().context.get_executor());
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return Fail(Kind::kDependency, "cannot listen on " + options.host + ":" +
                                       std::to_string(options.port) + ": " + error.message());
  }
  port = acceptor->local_endpoint(error).port();
  return Done();
}

void Server::Core::Run() {
  asio::co_spawn(workers.front().context.get_executor(), Accept(), asio::detached);
  for (Worker& worker : workers) {
    asio::co_spawn(worker.context.get_executor(), Sweep(worker), asio::detached);
    SHEAF_CHECK(threads.TryPost([&worker] { worker.context.run(); }));
  }
}

Task<void> Server::Core::Accept() {
  Timer pause(workers.front().context.get_executor());
  for (size_t next = 0; !draining; ++next) {
    Worker& worker = workers[next % workers.size()];
    Socket socket(worker.context.get_executor());
    const auto [error] = co_await acceptor->async_accept(socket, kTuple);
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
    if (error) {  // Out of descriptors, for one: let some come back.
      pause.expires_after(std::chrono::milliseconds(50));
      co_await pause.async_wait(kTuple);
      continue;
    }
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    bool full = false;
    {
      MutexLock lock(mutex);
      full = open >= options.connections_max;
      if (!full) ++open;
    }
    if (full) {  // What fits into the socket at once, or nothing.
      const Response refused = options.refusal(503, "too many connections");
      const std::string text =
          HeadOf(refused, Connection::kClose, HttpDate(clock.Wall())) + refused.body;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(text), ignored);
      continue;
    }
    auto session = std::make_shared<Session>(std::move(socket), PeerOf(socket), [this] {
      MutexLock lock(mutex);
      if (--open == 0) gone.NotifyAll();
    });
    asio::co_spawn(worker.context.get_executor(), Serve(worker, std::move(session)),
                   asio::detached);
  }
}

Task<void> Server::Core::Sweep(Worker& worker) {
  while (true) {
    worker.sweep.expires_after(options.sweep_every);
    const auto [error] = co_await worker.sweep.async_wait(kTuple);
    if (error || worker.ending) co_return;
    const Instant now = clock.Now();
    for (Session* session : worker.sessions) {
      if (now >= session->deadline) Expire(*session);
    }
  }
}

void Server::Core::Expire(Session& session) {
  session.expired = true;
  session.deadline = kNever;
  if (session.phase == Session::Phase::kHandling) {
    session.cancel.Cancel(Fail(Kind::kDeadline, "the answer took too long"));
    session.Give(session.serial, options.refusal(504, "the answer took too long"));
    return;
  }
  error_code ignored;
  session.socket.cancel(ignored);
}

Task<void> Server::Core::Serve(Worker& worker, std::shared_ptr<Session> session) {
  worker.sessions.insert(session.get());
  while (!session->aborted && co_await ServeOne(*session)) {
  }
  session->cancel.Cancel(Fail(Kind::kCancelled, "the connection was closed"));
  worker.sessions.erase(session.get());
  error_code ignored;
  session->socket.shutdown(Socket::shutdown_both, ignored);
  session->socket.close(ignored);
}

// True when another request may follow on this connection.
Task<bool> Server::Core::ServeOne(Session& session) {
  if (session.buffer.size() == 0) {
    if (draining) co_return false;
    Enter(session, Session::Phase::kIdle, options.idle_limit);
    const auto [error, size] =
        co_await session.socket.async_read_some(session.buffer.prepare(4096), kTuple);
    if (error) co_return false;
    session.buffer.commit(size);
  }
  std::optional<Incoming> incoming = co_await Read(session);
  if (!incoming.has_value()) co_return false;
  const bool head_only = incoming->request.method == "HEAD";
  co_await Handle(session, std::move(incoming->request));
  if (session.aborted || !session.response.has_value()) co_return false;
  Response response = std::move(*session.response);
  const Connection then = draining ? Connection::kClose : incoming->connection;
  const Body body = head_only ? Body::kLeftOut : Body::kSent;
  const bool written = co_await Write(session, std::move(response), then, body);
  co_return written && then == Connection::kKeepAlive;
}

Task<std::optional<Incoming>> Server::Core::Read(Session& session) {
  Enter(session, Session::Phase::kReading, options.request_limit);
  wire::request_parser<wire::string_body> parser;
  parser.header_limit(static_cast<uint32_t>(options.header_bytes_max.count));
  parser.body_limit(static_cast<uint64_t>(options.body_bytes_max.count));
  error_code error;
  std::tie(error, std::ignore) =
      co_await wire::async_read_header(session.socket, session.buffer, parser, kTuple);
  if (!error && !parser.is_done() && Lower(parser.get()[wire::field::expect]) == "100-continue") {
    static constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    std::tie(error, std::ignore) = co_await asio::async_write(
        session.socket, asio::buffer(kGoOn.data(), kGoOn.size()), kTuple);
  }
  if (!error && !parser.is_done()) {
    std::tie(error, std::ignore) =
        co_await wire::async_read(session.socket, session.buffer, parser, kTuple);
  }
  if (error) {
    const int status = session.expired ? 408 : StatusOf(error);
    if (status != 0 && !session.aborted) co_await Refuse(session, status, WhyOf(status, error));
    co_return std::nullopt;
  }
  auto& message = parser.get();
  Incoming incoming;
  Request& request = incoming.request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  auto target = ParseTarget(request.target);
  if (target.ok() && message.version() >= 11 && message.count(wire::field::host) != 1) {
    target = Fail(Kind::kInvalid, "a request names its host once");
  }
  if (!target.ok()) {
    co_await Refuse(session, 400, target.error().message);
    co_return std::nullopt;
  }
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.headers = HeadersOf(message);
  request.body = std::move(message.body());
  request.peer = session.peer;
  const bool keep = message.version() >= 11 && message.keep_alive();
  incoming.connection = keep ? Connection::kKeepAlive : Connection::kClose;
  co_return incoming;
}

Task<void> Server::Core::Handle(Session& session, Request request) {
  ++session.serial;
  session.response.reset();
  session.cancel = CancelSource();
  Enter(session, Session::Phase::kHandling, options.answer_limit);
  request.cancel = session.cancel.token();
  auto pending = std::make_shared<Pending>(shared_from_this(), session.shared_from_this());
  Answer answer = [pending](Response response) { pending->Give(std::move(response)); };
  pending.reset();
  try {
    handler(std::move(request), std::move(answer));
  } catch (...) {
    session.Give(session.serial, options.refusal(500, "the request's handler failed"));
  }
  answer = nullptr;
  if (!session.response.has_value()) WatchForGoing(session);
  while (!session.response.has_value() && !session.aborted) {
    co_await session.answered.async_wait(kTuple);
  }
}

// Cancels what the handler does when the client goes away. Ends at the first byte that comes: then
// the client is there, and has sent its next request.
void Server::Core::WatchForGoing(Session& session) {
  session.socket.async_wait(
      Socket::wait_read, [weak = session.weak_from_this(), serial = session.serial](error_code e) {
        const auto session = weak.lock();
        if (e || session == nullptr || session->serial != serial) return;
        char byte = 0;
        const ssize_t got =
            ::recv(session->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return;
        session->cancel.Cancel(Fail(Kind::kCancelled, "the client went away"));
      });
}

Task<bool> Server::Core::Write(Session& session, Response response, Connection connection,
                               Body body) {
  Enter(session, Session::Phase::kWriting, options.write_limit);
  const std::string head = HeadOf(response, connection, HttpDate(clock.Wall()));
  const bool bare = body == Body::kLeftOut || response.status == 204 || response.status == 304;
  if (bare) response.body.clear();  // Its length is told all the same.
  const std::array<asio::const_buffer, 2> both{asio::buffer(head), asio::buffer(response.body)};
  const auto [error, size] = co_await asio::async_write(session.socket, both, kTuple);
  co_return !error;
}

// Says why, then reads on for a moment: closing on unread bytes would take the answer away.
Task<void> Server::Core::Refuse(Session& session, int status, std::string why) {
  Response refused = options.refusal(status, why);
  if (!co_await Write(session, std::move(refused), Connection::kClose, Body::kSent)) co_return;
  error_code error;
  session.socket.shutdown(Socket::shutdown_send, error);
  Enter(session, Session::Phase::kWriting, options.linger_limit);
  std::array<char, 4096> rest;
  while (!error && !session.expired && !session.aborted) {
    std::tie(error, std::ignore) =
        co_await session.socket.async_read_some(asio::buffer(rest), kTuple);
  }
}

bool Server::Core::AwaitEmpty(Instant until) {
  const time::SystemClock real;
  MutexLock lock(mutex);
  while (open > 0) {
    const Duration left = real.RealWait(until);
    if (until != kNever && left <= Duration(0)) return false;
    gone.WaitFor(mutex, until == kNever ? Duration::max() : left);
  }
  return true;
}

void Server::Core::Stop(Duration grace) {
  {
    MutexLock lock(mutex);
    if (std::exchange(stopped, true)) return;
  }
  draining = true;
  asio::post(workers.front().context, [this] {
    error_code ignored;
    acceptor->close(ignored);
  });
  for (Worker& worker : workers) {
    asio::post(worker.context, [&worker] {
      error_code ignored;
      for (Session* session : worker.sessions) {
        if (session->phase == Session::Phase::kIdle) session->socket.cancel(ignored);
      }
    });
  }
  if (!AwaitEmpty(time::SystemClock().Now() + grace)) {
    for (Worker& worker : workers) {
      asio::post(worker.context, [&worker] {
        error_code ignored;
        for (Session* session : worker.sessions) {
          session->aborted = true;
          session->cancel.Cancel(Fail(Kind::kShuttingDown, "the server stops"));
          session->answered.cancel();
          session->socket.close(ignored);
        }
      });
    }
    AwaitEmpty(kNever);
  }
  gate.Close();
  for (Worker& worker : workers) {
    asio::post(worker.context, [&worker] {
      worker.ending = true;
      worker.sweep.cancel();
      worker.guard.reset();
    });
  }
  threads.Stop();
}

Server::Server(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Server::~Server() { core_->Stop({}); }

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Clock& clock,
                                              Handler handler) {
  SHEAF_CHECK(options.threads > 0);
  if (options.refusal == nullptr) options.refusal = PlainRefusal;
  auto core = std::make_shared<Core>(std::move(options), clock, std::move(handler));
  SHEAF_TRY(core->Listen());
  core->Run();
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

uint16_t Server::port() const { return core_->port; }

size_t Server::connections() const {
  MutexLock lock(core_->mutex);
  return core_->open;
}

void Server::Stop(Duration grace) { core_->Stop(grace); }

size_t RaiseDescriptorLimit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<size_t>(limit.rlim_cur);
}

namespace {

struct Url {
  std::string host, port, target;
};

Result<Url> ParseUrl(std::string_view url) {
  static constexpr std::string_view kScheme = "http://";
  const auto bad = [&] { return Fail(Kind::kInvalid, "no http:// URL: " + std::string(url)); };
  if (!url.starts_with(kScheme)) return bad();
  const std::string_view rest = url.substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view place = rest.substr(0, slash);
  const size_t bracket = place.starts_with('[') ? place.find(']') : 0;
  if (bracket == std::string_view::npos) return bad();
  const size_t colon = std::min(place.find(':', bracket), place.size());
  Url parsed;
  parsed.host = bracket > 0 ? place.substr(1, bracket - 1) : place.substr(0, colon);
  parsed.port = colon < place.size() ? place.substr(colon + 1) : "80";
  parsed.target = slash < rest.size() ? rest.substr(slash) : "/";
  const auto plain = [](char c) { return c > ' ' && c != '\x7F'; };
  if (parsed.host.empty() || parsed.port.empty() ||
      !std::all_of(url.begin(), url.end(), plain)) {
    return bad();
  }
  return parsed;
}

Task<void> Talk(Loop loop, const Url& url, const FetchOptions& options,
                std::optional<Result<Response>>& out) {
  const auto failed = [&](const error_code& error) {
    const bool large = error == wire::error::body_limit;
    out = Fail(large ? Kind::kExhausted : Kind::kDependency,
               url.host + ":" + url.port + ": " + error.message());
  };
  asio::ip::basic_resolver<asio::ip::tcp, Loop> resolver(loop);
  const auto [unknown, places] = co_await resolver.async_resolve(url.host, url.port, kTuple);
  if (unknown) co_return failed(unknown);
  Socket socket(loop);
  const auto [refused, place] = co_await asio::async_connect(socket, places, kTuple);
  if (refused) co_return failed(refused);
  wire::request<wire::string_body> request;
  request.method_string(options.method);
  request.target(url.target);
  request.set(wire::field::host, url.host + ":" + url.port);
  request.set(wire::field::connection, "close");
  for (const auto& [key, value] : options.headers) request.set(key, value);
  request.body() = options.body;
  request.prepare_payload();
  const auto [lost, sent] = co_await wire::async_write(socket, request, kTuple);
  boost::beast::flat_buffer buffer;
  wire::response_parser<wire::string_body> parser;
  parser.body_limit(static_cast<uint64_t>(options.body_bytes_max.count));
  if (options.method == "HEAD") parser.skip(true);
  // What could not be sent whole may have been refused before its end: the answer tells.
  const auto [broken, got] = co_await wire::async_read(socket, buffer, parser, kTuple);
  if (broken) co_return failed(lost ? lost : broken);
  auto& message = parser.get();
  Response response{.status = static_cast<int>(message.result_int())};
  response.headers = HeadersOf(message);
  response.content_type = response.headers["content-type"];
  response.body = std::move(message.body());
  out = std::move(response);
}

}  // namespace

Result<Response> Fetch(std::string_view url, FetchOptions options) {
  SHEAF_ASSIGN(const Url parsed, ParseUrl(url));
  std::optional<Result<Response>> out;
  asio::io_context context(1);  // Last: what waits inside dies before what it looks at.
  asio::co_spawn(context.get_executor(), Talk(context.get_executor(), parsed, options, out),
                 asio::detached);
  context.run_for(options.limit);
  if (out.has_value()) return *std::move(out);
  return Fail(Kind::kDeadline, parsed.host + ":" + parsed.port + " did not answer in time");
}

}  // namespace sheaf::http
