// PLAN  targets are decoded and checked · heads are printed, values cannot break out · a server
//       answers, keeps alive, pipelines · every limit has its status · silent, trickling and idle
//       clients are cut · an answer may come late, from elsewhere, or never · a client that goes
//       cancels · stopping drains, then cancels · a port in use is named
#include "sheaf/drivers/http/http.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/time/time.h"

namespace sheaf::http {
namespace {

using namespace std::chrono_literals;

// A client that says exactly these bytes.
class Raw {
 public:
  explicit Raw(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int failed = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    EXPECT_EQ(failed, 0);
    timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  ~Raw() { Close(); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  void Say(std::string_view text) const {
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  // Until `end` is seen, or the server closes.
  std::string Hear(std::string_view end = {}) const {
    std::string heard;
    char some[4096];
    while (end.empty() || heard.find(end) == std::string::npos) {
      const ssize_t got = ::recv(fd_, some, sizeof(some), 0);
      if (got <= 0) break;
      heard.append(some, static_cast<size_t>(got));
    }
    return heard;
  }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

constexpr std::string_view kGet = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n";

class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    options_.sweep_every = 2ms;
    handler_ = [](const Request& request, const Answer& answer) {
      answer({.content_type = "text/plain", .body = request.method + " " + request.path + " " +
                                                    request.body + "."});
    };
  }
  void Start() {
    auto server = Server::Start(options_, clock_, [this](Request request, Answer answer) {
      handler_(std::move(request), std::move(answer));
    });
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  std::string Url(const std::string& target) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + target;
  }

  ManualClock clock_;
  ServerOptions options_;
  std::function<void(Request, Answer)> handler_;
  std::unique_ptr<Server> server_;
};

TEST(TargetTest, PathAndQueryAreDecoded) {
  const auto target = ParseTarget("/a%20b+c/%C3%A9?x=1+2&y=%26%3D&z&=w#fragment");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->path, "/a b+c/\xC3\xA9");
  EXPECT_EQ(target->query, (std::map<std::string, std::string>{
                               {"x", "1 2"}, {"y", "&="}, {"z", ""}, {"", "w"}}));
  EXPECT_EQ(ParseTarget("http://host:1/x?y=1")->path, "/x");
  EXPECT_EQ(ParseTarget("http://host")->path, "/");
  EXPECT_EQ(ParseTarget("*")->path, "*");
}

TEST(TargetTest, WhatIsWrongIsRefused) {
  for (const auto* bad : {"", "x", "/%", "/%4", "/%zz", "/%00", "/x?a=%", "/x?a=1&a=2"}) {
    EXPECT_EQ(ParseTarget(bad).error().kind, Kind::kInvalid) << bad;
  }
}

TEST(HeadTest, ValuesCannotBreakOut) {
  Response response{.status = 303, .content_type = ""};
  response.headers["Location"] = "/x\r\nSet-Cookie: a=b";
  const std::string head = HeadOf(response, Connection::kClose, "today");
  EXPECT_EQ(head, "HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n"
                  "Location: /x  Set-Cookie: a=b\r\nDate: today\r\nConnection: close\r\n\r\n");
}

TEST(HeadTest, DatesAreImfFixdates) {
  EXPECT_EQ(HttpDate({784'111'777'000'000}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_F(HttpTest, AnswersARequest) {
  Start();
  const auto got = Fetch(Url("/a%20b"), {.method = "POST", .body = "body"});
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->content_type, "text/plain");
  EXPECT_EQ(got->body, "POST /a b body.");
  EXPECT_TRUE(got->headers.contains("date"));
}

TEST_F(HttpTest, TheRequestSaysAllThatTheClientSaid) {
  Request seen;
  handler_ = [&](Request request, const Answer& answer) {
    seen = std::move(request);
    answer({.status = 204});
  };
  Start();
  ASSERT_EQ(Fetch(Url("/x?limit=5"), {.headers = {{"X-One", "1"}, {"accept", "*/*"}}})->status,
            204);
  EXPECT_EQ(seen.target, "/x?limit=5");
  EXPECT_EQ(seen.query["limit"], "5");
  EXPECT_EQ(seen.headers["x-one"], "1");
  EXPECT_TRUE(seen.peer.starts_with("127.0.0.1:")) << seen.peer;
}

TEST_F(HttpTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Start();
  const Raw client(server_->port());
  client.Say("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\n"
             "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string heard = client.Hear("GET /3 .");
  EXPECT_LT(heard.find("GET /1 ."), heard.find("POST /2 abc."));
  EXPECT_LT(heard.find("POST /2 abc."), heard.find("GET /3 ."));
  client.Say("GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.Hear().find("Connection: close"), std::string::npos);
}

TEST_F(HttpTest, ABodyMayComeInChunksAndAfterContinue) {
  Start();
  const Raw client(server_->port());
  client.Say("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
             "Expect: 100-continue\r\n\r\n");
  EXPECT_NE(client.Hear("Continue\r\n\r\n").find("100"), std::string::npos);
  client.Say("2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  EXPECT_NE(client.Hear("abc.").find("POST /c abc."), std::string::npos);
}

TEST_F(HttpTest, AHeadHasTheLengthButNotTheBody) {
  Start();
  const Raw client(server_->port());
  client.Say("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string heard = client.Hear();
  EXPECT_NE(heard.find("Content-Length: 9\r\n"), std::string::npos) << heard;
  EXPECT_TRUE(heard.ends_with("\r\n\r\n"));
}

TEST_F(HttpTest, AHeaderAboveTheLimitIs431) {
  Start();
  const Raw client(server_->port());
  client.Say("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'x'));
  EXPECT_TRUE(client.Hear("\r\n\r\n").starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpTest, ABodyAboveTheLimitIs413BeforeItIsRead) {
  options_.body_bytes_max = 100_B;
  Start();
  const Raw told(server_->port());
  told.Say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
  EXPECT_TRUE(told.Hear("\r\n\r\n").starts_with("HTTP/1.1 413 "));
  const Raw chunked(server_->port());
  chunked.Say("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n" +
              std::string(200, 'x') + "\r\n");
  EXPECT_TRUE(chunked.Hear("\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(Fetch(Url("/"), {.method = "POST", .body = std::string(100, 'x')})->status, 200);
}

TEST_F(HttpTest, WhatIsNoHttpIs400) {
  Start();
  for (const auto* bad :
       {"hello\r\n\r\n", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    const Raw client(server_->port());
    client.Say(bad);
    EXPECT_TRUE(client.Hear("\r\n\r\n").starts_with("HTTP/1.1 400 ")) << bad;
  }
}

TEST_F(HttpTest, TheRefusalsBodyIsItsOwners) {
  options_.refusal = [](int status, std::string_view) {
    return Response{.status = status, .body = R"({"code":"INVALID"})"};
  };
  Start();
  const Raw client(server_->port());
  client.Say("bad\r\n\r\n");
  EXPECT_NE(client.Hear("\"INVALID\"}").find("application/json"), std::string::npos);
}

TEST_F(HttpTest, ATrickleIsCutAtTheRequestsLimit) {
  Start();
  const Raw client(server_->port());
  client.Say("GET /slow HT");
  Event stop;
  std::thread mover([&] {
    while (!stop.IsSet()) {
      clock_.Advance(1s);
      client.Say("x");
      stop.WaitFor(1ms);
    }
  });
  EXPECT_TRUE(client.Hear("\r\n\r\n").starts_with("HTTP/1.1 408 "));
  stop.Set();
  mover.join();
}

TEST_F(HttpTest, AnIdleConnectionIsClosed) {
  Start();
  const Raw client(server_->port());
  client.Say(kGet);
  EXPECT_FALSE(client.Hear("/echo .").empty());
  while (server_->connections() > 0) {
    clock_.Advance(options_.idle_limit);
    std::this_thread::yield();
  }
  EXPECT_EQ(client.Hear(), "");
}

TEST_F(HttpTest, AnAnswerMayComeFromAnotherThread) {
  std::vector<std::thread> threads;
  handler_ = [&](const Request& request, Answer answer) {
    threads.emplace_back([path = request.path, answer = std::move(answer)] {
      answer({.body = path});
      answer({.body = "twice"});
    });
  };
  options_.threads = 1;
  Start();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Fetch(Url("/" + std::to_string(i)))->body, "/" + std::to_string(i));
  }
  server_->Stop(10s);
  for (auto& thread : threads) thread.join();
}

TEST_F(HttpTest, AnAnswerThatNeverComesIs500AndAThrowToo) {
  handler_ = [](const Request& request, const Answer&) {
    if (request.path == "/throw") throw std::runtime_error("boom");
  };
  Start();
  EXPECT_EQ(Fetch(Url("/"))->status, 500);
  const auto thrown = Fetch(Url("/throw"));
  EXPECT_EQ(thrown->status, 500);
  EXPECT_EQ(thrown->body.find("boom"), std::string::npos);
}

TEST_F(HttpTest, AnAnswerAfterItsLimitIs504AndCancels) {
  Event inside, cancelled;
  Answer kept;
  CancelRegistration registration;
  handler_ = [&](const Request& request, Answer answer) {
    kept = std::move(answer);
    registration = request.cancel.OnCancel([&] { cancelled.Set(); });
    inside.Set();
  };
  Start();
  const Raw client(server_->port());
  client.Say(kGet);
  inside.Wait();
  clock_.Advance(options_.answer_limit);
  EXPECT_TRUE(client.Hear("\r\n\r\n").starts_with("HTTP/1.1 504 "));
  EXPECT_TRUE(cancelled.WaitFor(10s));
  kept({.body = "too late"});
  handler_ = [](const Request&, const Answer& answer) { answer({.body = "second"}); };
  client.Say(kGet);
  EXPECT_NE(client.Hear("second").find("second"), std::string::npos);
}

TEST_F(HttpTest, AClientThatGoesCancelsWhatRuns) {
  Event inside, cancelled;
  Answer kept;
  CancelRegistration registration;
  handler_ = [&](const Request& request, Answer answer) {
    kept = std::move(answer);
    registration = request.cancel.OnCancel([&] { cancelled.Set(); });
    inside.Set();
  };
  Start();
  Raw client(server_->port());
  client.Say(kGet);
  inside.Wait();
  client.Close();
  EXPECT_TRUE(cancelled.WaitFor(10s));
  kept = nullptr;
}

TEST_F(HttpTest, StoppingLetsRequestsEndAndClosesIdleConnections) {
  Event inside;
  Answer kept;
  handler_ = [&](const Request& request, Answer answer) {
    if (request.path == "/fast") return answer({});
    kept = std::move(answer);
    inside.Set();
  };
  Start();
  const Raw idle(server_->port());
  idle.Say("GET /fast HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_FALSE(idle.Hear("\r\n\r\n").empty());
  const Raw busy(server_->port());
  busy.Say(kGet);
  inside.Wait();
  std::thread stopper([&] { server_->Stop(20s); });
  EXPECT_EQ(idle.Hear(), "");
  kept({.body = "done"});
  const std::string heard = busy.Hear();
  EXPECT_NE(heard.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(heard.ends_with("done"));
  stopper.join();
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(HttpTest, StoppingWithoutGraceCancels) {
  Event inside, cancelled;
  Answer kept;
  CancelRegistration registration;
  handler_ = [&](const Request& request, Answer answer) {
    kept = std::move(answer);
    registration = request.cancel.OnCancel([&] { cancelled.Set(); });
    inside.Set();
  };
  Start();
  const Raw client(server_->port());
  client.Say(kGet);
  inside.Wait();
  server_->Stop({});
  EXPECT_TRUE(cancelled.IsSet());
  EXPECT_EQ(client.Hear(), "");
  server_.reset();
  kept({.body = "after the server's end"});
}

TEST_F(HttpTest, ConnectionsAboveTheLimitAreRefusedWith503) {
  options_.connections_max = 2;
  Start();
  const Raw one(server_->port());
  one.Say(kGet);
  EXPECT_FALSE(one.Hear("/echo .").empty());
  const Raw two(server_->port());
  two.Say(kGet);
  EXPECT_FALSE(two.Hear("/echo .").empty());
  const Raw three(server_->port());
  EXPECT_TRUE(three.Hear().starts_with("HTTP/1.1 503 "));
  one.Say(kGet);
  EXPECT_FALSE(one.Hear("/echo .").empty());
}

TEST_F(HttpTest, APortInUseAndABadAddressAreNamed) {
  Start();
  const auto second = Server::Start({.port = server_->port()}, clock_, handler_);
  ASSERT_EQ(second.error().kind, Kind::kDependency);
  EXPECT_NE(second.error().message.find(std::to_string(server_->port())), std::string::npos);
  EXPECT_EQ(Server::Start({.host = "nowhere"}, clock_, handler_).error().kind, Kind::kInvalid);
}

TEST_F(HttpTest, ManyClientsAtOnceAreAllAnswered) {
  Start();
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([&] {
      const Raw client(server_->port());
      for (int i = 0; i < 200; ++i) {
        client.Say(kGet);
        if (client.Hear("/echo .").starts_with("HTTP/1.1 200")) ++good;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 1600);
}

TEST(FetchTest, SaysWhatFailed) {
  EXPECT_EQ(Fetch("ftp://x/").error().kind, Kind::kInvalid);
  EXPECT_EQ(Fetch("http://").error().kind, Kind::kInvalid);
  EXPECT_EQ(Fetch("http://h/a b").error().kind, Kind::kInvalid);
  EXPECT_EQ(Fetch("http://127.0.0.1:1/").error().kind, Kind::kDependency);
}

TEST_F(HttpTest, AFetchEndsAtItsLimits) {
  Answer kept;
  handler_ = [&](const Request& request, Answer answer) {
    if (request.path == "/large") return answer({.body = std::string(5000, 'x')});
    kept = std::move(answer);
  };
  Start();
  EXPECT_EQ(Fetch(Url("/"), {.limit = 20ms}).error().kind, Kind::kDeadline);
  EXPECT_EQ(Fetch(Url("/large"), {.body_bytes_max = 1000_B}).error().kind, Kind::kExhausted);
  server_->Stop({});
}

TEST(DescriptorsTest, TheLimitIsRaisedToTheHardOne) { EXPECT_GE(RaiseDescriptorLimit(), 256u); }

}  // namespace
}  // namespace sheaf::http
