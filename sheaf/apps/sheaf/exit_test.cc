// PLAN  an error is its code, its message and the way out that the message itself does not name ·
//       exit codes by what happened · completion scripts name what is declared

#include "sheaf/apps/sheaf/exit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sheaf/apps/sheaf/completion.h"

namespace sheaf::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ExitTest, ErrorIsCodeMessageAndWayOut) {
  EXPECT_EQ(ErrorText(Fail(Kind::kBackpressure, "queue full", R"({"after_ms": 250})")),
            "sheaf: BACKPRESSURE: queue full\n       try again in 0.250 s");
  EXPECT_EQ(ErrorText(Fail(Kind::kFailed, "no column\n  ^ here")),
            "sheaf: FAILED: no column\n  ^ here");
  EXPECT_EQ(ErrorText(Fail(Kind::kNotFound, "gone; see `sheaf ls`")),
            "sheaf: NOT_FOUND: gone; see `sheaf ls`");
  const Error unknown{Kind::kDependency, Effect::kUnknown, "broke off", ""};
  EXPECT_THAT(ErrorText(unknown), HasSubstr("may have been done"));
}

TEST(ExitTest, MessageCannotWriteTheTerminal) {
  EXPECT_THAT(ErrorText(Fail(Kind::kFailed, "\x1b[2Jgone")), Not(HasSubstr("\x1b")));
}

TEST(ExitTest, CodesSayWhatHappened) {
  EXPECT_EQ(ExitOf(Fail(Kind::kNotFound, "x")), kExitRefused);
  EXPECT_EQ(ExitOf(Fail(Kind::kDependency, "x", R"({"unreachable": true})")), kExitConnection);
  EXPECT_EQ(ExitOf(Fail(Kind::kDependency, "x", R"({"address": "y"})")), kExitRefused);
}

TEST(CompletionTest, ScriptsNameWhatIsDeclared) {
  Cli cli("sheaf", "help", "", "1");
  auto server = std::make_shared<std::string>();
  cli.Add("query", "Run it's SQL").Text("--server,-x", *server, "where");
  cli.Add("config", "Settings").Sub("show", "Print them");
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = CompletionScript(shell, cli.Facts());
    for (const char* word : {"query", "server", "config", "show"}) {
      EXPECT_THAT(script, HasSubstr(word)) << shell;
    }
  }
  EXPECT_THAT(CompletionScript("fish", cli.Facts()), HasSubstr("'Run it'\\''s SQL'"));
}

TEST(CliTest, WhatDoesNotParseIsUsage) {
  Cli cli("sheaf", "help", "", "1");
  std::string word;
  int ran = 0;
  cli.Add("go", "Goes").Choice("WORD", word, {"left", "right"}, "where").Required().Does([&] {
    ++ran;
    return 7;
  });
  const auto run = [&](std::vector<const char*> words) {
    words.insert(words.begin(), "sheaf");
    return cli.Run(static_cast<int>(words.size()), const_cast<char**>(words.data()));
  };
  EXPECT_EQ(run({"go", "left"}), 7);
  EXPECT_EQ(run({"go", "up"}), kExitUsage);
  EXPECT_EQ(run({"go"}), kExitUsage);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run({"gone"}), kExitUsage);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("unknown command 'gone'; did you mean 'go'?"));
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace sheaf::app
