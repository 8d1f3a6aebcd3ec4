// PLAN  a taken address is kDependency and named · port 0 finds one · health says SERVING, then
//       NOT_SERVING · a watcher of health does not hold up a stop · two servers of one process
#include "sheaf/drivers/grpc/server.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sheaf::grpc {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<::grpc::Channel> Connect(int port) {
  return ::grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                               ::grpc::InsecureChannelCredentials());
}

// An empty message; a ByteBuffer without slices is no message at all.
::grpc::ByteBuffer Nothing() {
  const ::grpc::Slice slice("");
  return ::grpc::ByteBuffer(&slice, 1);
}

// HealthCheckRequest{service}
::grpc::ByteBuffer Asking(const std::string& name) {
  if (name.empty()) return Nothing();
  const ::grpc::Slice slice(std::string{'\x0a', static_cast<char>(name.size())} + name);
  return ::grpc::ByteBuffer(&slice, 1);
}

// The status byte of grpc.health.v1.HealthCheckResponse: 1 = SERVING, 2 = NOT_SERVING.
int Health(int port, const std::string& name = "") {
  ::grpc::GenericStub stub(Connect(port));
  ::grpc::ClientContext context;
  ::grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", Asking(name), &queue);
  call->StartCall();
  ::grpc::ByteBuffer answer;
  ::grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  ::grpc::Slice bytes;
  if (!status.ok() || !answer.DumpToSingleSlice(&bytes).ok() || bytes.size() != 2) return -1;
  return bytes.begin()[1];
}

class ServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Server> Start(ServerOptions options = {}) {
    return Server::Start(options, {}, registry_).value();
  }
  Registry registry_;
};

TEST_F(ServerTest, PortZeroFindsOne) {
  auto first = Start();
  auto second = Start();
  EXPECT_GT(first->port(), 0);
  EXPECT_NE(first->port(), second->port());
}

TEST_F(ServerTest, TakenAddressIsNamed) {
  auto first = Start();
  ServerOptions options;
  options.port = first->port();
  const auto second = Server::Start(options, {}, registry_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, Kind::kDependency);
  EXPECT_NE(second.error().message.find("127.0.0.1:" + std::to_string(options.port)),
            std::string::npos);
  EXPECT_NE(second.error().message.find("in use"), std::string::npos) << second.error().message;
}

TEST_F(ServerTest, UnknownHostIsNamed) {
  ServerOptions options;
  options.host = "no.such.host.invalid";
  const auto server = Server::Start(options, {}, registry_);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().message.find("no.such.host.invalid"), std::string::npos);
}

TEST_F(ServerTest, HealthFollowsSetServing) {
  auto server = Start();
  EXPECT_EQ(Health(server->port()), 1);
  server->SetServing(false);
  EXPECT_EQ(Health(server->port()), 2);
  server->SetServing(true);
  EXPECT_EQ(Health(server->port()), 1);
}

TEST_F(ServerTest, HealthIsToldByNameToo) {
  ServerOptions options;
  options.health_name = "some.Service";
  auto server = Start(options);
  EXPECT_EQ(Health(server->port(), "some.Service"), 2);
  server->SetServing(true);
  EXPECT_EQ(Health(server->port(), "some.Service"), 1);
  EXPECT_EQ(Health(server->port(), "another.Service"), -1);
}

TEST_F(ServerTest, AWatcherOfHealthDoesNotHoldUpAStop) {
  auto server = Start();
  ::grpc::GenericStub stub(Connect(server->port()));
  ::grpc::ClientContext context;
  ::grpc::CompletionQueue queue;
  auto call = stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  call->WriteLast(Nothing(), {}, nullptr);
  queue.Next(&tag, &ok);
  ::grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  queue.Next(&tag, &ok);
  EXPECT_TRUE(ok);
  const time::SystemClock clock;
  const Instant before = clock.Now();
  server->Stop(60s);
  EXPECT_LT(clock.Now() - before, 10s);
  while (ok) {
    call->Read(&answer, nullptr);
    queue.Next(&tag, &ok);
  }
  ::grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  EXPECT_FALSE(status.ok());
}

TEST_F(ServerTest, StopTwiceStopsOnce) {
  auto server = Start();
  std::thread other([&] { server->Stop(0s); });
  server->Stop(0s);
  other.join();
  EXPECT_EQ(Health(server->port()), -1);
}

}  // namespace
}  // namespace sheaf::grpc
