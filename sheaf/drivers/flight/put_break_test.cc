// PLAN  an upload whose client cancels, whose connection breaks or whose process dies is aborted,
//       however the break and the end of the read are ordered
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "sheaf/drivers/flight/echo_handler_test.h"
#include "sheaf/drivers/flight/raw_client_test.h"
#include "testkit/seed.h"

namespace sheaf::flight {
namespace {

// Passes one connection on to the server, and can cut it.
class Wire {
 public:
  explicit Wire(int server_port) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SHEAF_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    SHEAF_CHECK(::listen(listener_, 1) == 0);
    socklen_t size = sizeof address;
    SHEAF_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    address.sin_port = htons(static_cast<uint16_t>(server_port));
    thread_ = std::jthread([this, address] { Pump(address); });
  }
  ~Wire() { Cut(); }
  int port() const { return port_; }
  void Cut() {
    cut_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Pump(sockaddr_in address) {
    const int client = ::accept(listener_, nullptr, nullptr);
    const int server = ::socket(AF_INET, SOCK_STREAM, 0);
    SHEAF_CHECK(::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    std::array<pollfd, 2> both{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    std::array<char, 65536> bytes{};
    while (!cut_) {
      ::poll(both.data(), both.size(), 1);
      for (const auto& [from, to] : {std::pair(client, server), std::pair(server, client)}) {
        const ssize_t got = ::recv(from, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got > 0) (void)::send(to, bytes.data(), static_cast<size_t>(got), MSG_NOSIGNAL);
      }
    }
    ::close(server);
    ::close(client);
    ::close(listener_);
  }

  const int listener_;
  int port_ = 0;
  std::atomic<bool> cut_{false};
  std::jthread thread_;
};

class PutBreakTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerOptions options;
    options.translate = TranslateForTests;
    server_ = Server::Start(options, handler_, timers_).value();
    const auto batch = NumbersBatch(100);
    messages_ = MessagesOf(batch->schema(), {batch, batch}, "x");
  }
  void AllAborted(int rounds) {
    EXPECT_TRUE(
        Eventually([&] { return handler_.puts.alive == 0 && server_->counts().calls == 0; }));
    EXPECT_EQ(handler_.puts.ended, 0);
    EXPECT_EQ(handler_.puts.alive, 0);
    EXPECT_EQ(handler_.puts.aborted, handler_.puts.opened);
    EXPECT_GT(handler_.puts.opened, rounds / 10);
    EXPECT_EQ(server_->counts().calls, 0);
  }

  time::SystemClock clock_;
  Timers timers_{clock_};
  EchoHandler handler_{timers_};
  std::unique_ptr<Server> server_;
  std::vector<std::string> messages_;
};

TEST_F(PutBreakTest, CancelledUploadIsAborted) {
  const int rounds = testkit::Soak() ? 50'000 : 2'000;
  const auto channel = OwnChannel(server_->port());
  for (int round = 0; round < rounds; ++round) {
    RawCall call(channel, "DoPut");
    for (const auto& message : messages_) call.Write(message);
    if (round % 2 == 0) Pause(std::chrono::microseconds(round % 300));
    call.Cancel();
  }
  AllAborted(rounds);
}

TEST_F(PutBreakTest, UploadOverABrokenConnectionIsAborted) {
  const int rounds = testkit::Soak() ? 5'000 : 200;
  for (int round = 0; round < rounds; ++round) {
    Wire wire(server_->port());
    RawCall call(OwnChannel(wire.port()), "DoPut");
    for (const auto& message : messages_) call.Write(message);
    while (handler_.puts.opened <= round) std::this_thread::yield();
    wire.Cut();
  }
  AllAborted(rounds);
}

}  // namespace
}  // namespace sheaf::flight
