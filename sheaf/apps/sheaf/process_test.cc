// PLAN  what is started outlives nothing it should not: a session of its own, its output where it
//       was told to · its end is waited for, its exit code told · a process of another begin is not
//       it, and is not signalled · a wait ends with its report · users are found by name · a log's
//       end is its last whole lines

#include "sheaf/apps/sheaf/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "testkit/temporary.h"

namespace sheaf::app {
namespace {

using std::chrono::seconds;

class ProcessTest : public ::testing::Test {
 protected:
  ProcessId Shell(const std::string& script) {
    return Start({.words = {"/bin/sh", "-c", script}, .log = log_, .output = -1, .user = {}})
        .value();
  }
  static Status Quiet() { return Done(); }
  testkit::TemporaryDirectory directory_;
  const std::string log_ = directory_.path() + "/log";
};

TEST_F(ProcessTest, ItsEndIsWaitedForAndItsWordsAreInTheLog) {
  const ProcessId process = Shell("echo out; echo err >&2; exit 7");
  EXPECT_TRUE(AwaitEnd(process, seconds(20), Quiet).value());
  EXPECT_FALSE(IsAlive(process));
  EXPECT_EQ(ExitCodeOf(process), 7);
  EXPECT_EQ(TailOf(log_), "out\nerr");
}

TEST_F(ProcessTest, ItHasASessionOfItsOwnAndNothingOfOurs) {
  const ProcessId process = Shell("read line; exec cat");  // There is nothing to read.
  EXPECT_TRUE(AwaitEnd(process, seconds(20), Quiet).value());
  EXPECT_EQ(ExitCodeOf(process), 0);
  const ProcessId session = Shell("set -- $(cat /proc/$$/stat); echo $6");
  EXPECT_TRUE(AwaitEnd(session, seconds(20), Quiet).value());
  EXPECT_EQ(TailOf(log_), std::to_string(session.pid));
  EXPECT_EQ(ExitCodeOf(session), 0);
  const ProcessId other = Shell("kill -STOP $$");
  EXPECT_FALSE(AwaitEnd(other, std::chrono::milliseconds(1), Quiet).value());
  Tell(other, SIGKILL);
  EXPECT_TRUE(AwaitEnd(other, seconds(20), Quiet).value());
  EXPECT_EQ(ExitCodeOf(other), 128 + SIGKILL);
}

TEST_F(ProcessTest, AProcessOfAnotherBeginIsNotIt) {
  const ProcessId process = Shell("kill -STOP $$");
  ProcessId earlier = process;
  --earlier.begun;
  EXPECT_TRUE(IsAlive(process));
  EXPECT_FALSE(IsAlive(earlier));
  Tell(earlier, SIGKILL);
  EXPECT_TRUE(IsAlive(process));
  EXPECT_TRUE(AwaitEnd(earlier, seconds(20), Quiet).value());
  Tell(process, SIGKILL);
  EXPECT_TRUE(AwaitEnd(process, seconds(20), Quiet).value());
  EXPECT_EQ(ExitCodeOf(process), 128 + SIGKILL);
  EXPECT_FALSE(FindProcess(0).has_value());
}

TEST_F(ProcessTest, AWaitEndsWithItsReport) {
  const ProcessId process = Shell("kill -STOP $$");
  const auto ended = AwaitEnd(process, seconds(60), [] { return Fail(Kind::kCancelled, "stop"); });
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().kind, Kind::kCancelled);
  Tell(process, SIGKILL);
  (void)ExitCodeOf(process);
}

TEST_F(ProcessTest, WordsAndUsersAreFound) {
  const auto own = FindProcess(::getpid());
  ASSERT_TRUE(own.has_value());
  EXPECT_NE(WordsOf(*own).at(0).find("apps_sheaf_test"), std::string::npos);
  EXPECT_EQ(FindUser("")->user, ::getuid());
  // Who is not root has but itself to run as.
  EXPECT_EQ(FindUser("no such user").ok(), ::getuid() != 0);
}

TEST_F(ProcessTest, ALogsEndIsItsLastWholeLines) {
  EXPECT_EQ(TailOf(log_), "");
  std::ofstream(log_) << std::string(5000, 'a') << "\nlast\n\n";
  EXPECT_EQ(TailOf(log_), "last");
}

}  // namespace
}  // namespace sheaf::app
