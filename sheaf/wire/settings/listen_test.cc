// PLAN  what people write is read and printed back · a host is always needed · loopback is known
#include "sheaf/wire/settings/listen.h"

#include <gtest/gtest.h>

#include "sheaf/base/core/core.h"

namespace sheaf::settings {
namespace {

TEST(ListenTest, ReadsHostAndPortAndPrintsThemBack) {
  for (const auto* text : {"127.0.0.1:8815", "0.0.0.0:0", "localhost:65535", "[::1]:8815",
                           "[fe80::1]:1", "node-1.example_net:80"}) {
    const auto listen = ParseListen(text);
    ASSERT_TRUE(listen.ok()) << text;
    EXPECT_EQ(listen->Text(), text);
  }
  EXPECT_EQ(ParseListen("[::1]:8815")->host, "::1");
  EXPECT_EQ(ParseListen("[::1]:8815")->port, 8815);
}

TEST(ListenTest, AnythingElseIsRefusedAndSaysTheForm) {
  for (const auto* text : {"", "8815", ":8815", "localhost", "localhost:", "localhost:x",
                           "localhost:65536", "localhost:-1", "localhost:+1", "localhost: 1",
                           "::1:8815", "[::1:8815", "::1]:8815", "[host]:1", "a b:1",
                           "http://localhost:80", "local/host:1"}) {
    const auto listen = ParseListen(text);
    ASSERT_FALSE(listen.ok()) << text;
    EXPECT_EQ(listen.error().kind, Kind::kInvalid);
    EXPECT_NE(listen.error().message.find("expected host:port"), std::string::npos);
  }
  EXPECT_FALSE(ParseListen(std::string(300, 'a') + ":1").ok());
}

TEST(ListenTest, LoopbackIsWhatNobodyElseCanReach) {
  for (const auto* text : {"127.0.0.1:1", "127.8.9.1:1", "localhost:1", "[::1]:1",
                           "[::ffff:127.0.0.1]:1"}) {
    EXPECT_TRUE(ParseListen(text)->IsLoopback()) << text;
  }
  for (const auto* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "128.0.0.1:1", "example.net:1",
                           "127.0.0.1.example.net:1", "[::ffff:10.0.0.1]:1", "localhost.evil:1"}) {
    EXPECT_FALSE(ParseListen(text)->IsLoopback()) << text;
  }
}

}  // namespace
}  // namespace sheaf::settings
