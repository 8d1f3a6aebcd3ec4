// The border under raw bytes: a running server is sent anything, must answer something that begins
// like HTTP or close, and still serve the next client. Targets also go through the pure parser.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sheaf/base/core/check.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/http/http.h"

namespace {

using namespace sheaf;

http::Server& TheServer() {
  static time::SystemClock clock;
  static const std::unique_ptr<http::Server> server = [] {
    auto started = http::Server::Start(
        {.threads = 1, .body_bytes_max = 4_KiB}, clock,
        [](http::Request request, const http::Answer& answer) {
          SHEAF_CHECK(request.body.size() <= 4096);
          SHEAF_CHECK(request.path.find('\0') == std::string::npos);
          answer({.body = std::move(request.path)});
        });
    SHEAF_CHECK(started.ok());
    return std::move(*started);
  }();
  return *server;
}

// What the server says to these bytes and a half-closed connection.
std::string Exchange(std::string_view bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SHEAF_CHECK(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(TheServer().port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  SHEAF_CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  timeval limit{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  std::string heard;
  char some[4096];
  ssize_t got = 0;
  while ((got = ::recv(fd, some, sizeof(some), 0)) > 0) {
    heard.append(some, static_cast<size_t>(got));
  }
  SHEAF_CHECK(got == 0 || errno == ECONNRESET);  // No client waits for ever.
  ::close(fd);
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto target = http::ParseTarget(bytes); target.ok()) {
    SHEAF_CHECK(target->path.find('\0') == std::string::npos);
  }
  const std::string heard = Exchange(bytes);
  SHEAF_CHECK(heard.empty() || heard.starts_with("HTTP/1.1 "));
  static int count = 0;
  if (++count % 64 == 0) {
    const std::string good =
        Exchange("GET /alive HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    SHEAF_CHECK(good.starts_with("HTTP/1.1 200 ") && good.ends_with("/alive"));
  }
  return 0;
}
