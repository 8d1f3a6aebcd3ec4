// Requests a second over loopback, client and server in one process: connections that ask and wait
// in turn, then connections that pipeline. Prints rates and a checksum of the bytes heard.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/check.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/http/http.h"

namespace {

using namespace sheaf;

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kBody = "{\"answer\":42}";

// Asks `requests` times, `depth` at once; the bytes heard.
uint64_t Ask(uint16_t port, int requests, int depth) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  SHEAF_CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  std::string many;
  for (int i = 0; i < depth; ++i) many += kGet;
  uint64_t bytes = 0;
  char some[65536];
  size_t one = 0;  // Bytes of an answer; all are alike.
  for (int asked = 0; asked < requests; asked += depth) {
    SHEAF_CHECK(::send(fd, many.data(), many.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(many.size()));
    size_t heard = 0;
    while (one == 0 || heard < one * static_cast<size_t>(depth)) {
      const ssize_t got = ::recv(fd, some, sizeof(some), 0);
      SHEAF_CHECK(got > 0);
      heard += static_cast<size_t>(got);
      const std::string_view text(some, static_cast<size_t>(got));
      if (one == 0) one = text.find(kBody) + kBody.size();
    }
    bytes += heard;
  }
  ::close(fd);
  return bytes;
}

void Round(uint16_t port, int clients, int requests, int depth) {
  std::atomic<uint64_t> bytes{0};
  const auto start = std::chrono::steady_clock::now();
  {
    Executor threads({.name = "clients", .threads_max = static_cast<size_t>(clients)});
    for (int c = 0; c < clients; ++c) {
      SHEAF_CHECK(threads.TryPost([&] { bytes += Ask(port, requests, depth); }));
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("http: %d connections, %d at once: %.0f requests/s, checksum %llu\n", clients, depth,
              clients * static_cast<double>(requests) / took.count(),
              static_cast<unsigned long long>(bytes.load()));
}

}  // namespace

int main() {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  const bool smoke = size != nullptr && std::string(size) == "smoke";
  time::SystemClock clock;
  auto server = http::Server::Start({}, clock, [](const http::Request&, const http::Answer& answer) {
    answer({.body = std::string(kBody)});
  });
  SHEAF_CHECK(server.ok());
  const int requests = smoke ? 320 : 32'000;
  Round((*server)->port(), 8, requests, 1);
  Round((*server)->port(), 8, requests, 16);
  return 0;
}
