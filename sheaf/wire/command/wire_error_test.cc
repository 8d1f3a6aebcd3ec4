// PLAN  every kind has the row of the contract's table · numbers of gRPC and Arrow are theirs
//       · the JSON stays within 2 KiB and well-formed whatever the error · it reads back
//       · what is no such JSON is INTERNAL with the text
#include "sheaf/wire/command/wire_error.h"

#include <arrow/status.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "sheaf/base/core/core.h"

namespace sheaf::command {
namespace {

using ::testing::HasSubstr;

constexpr Kind kLast = Kind::kCorrupt;

int32_t Arrow(arrow::StatusCode code) { return static_cast<int32_t>(code); }

TEST(WireCodeTest, TheTableIsTheContracts) {
  struct Row {
    Kind kind;
    int32_t number;
    const char* name;
    int32_t grpc;
    const char* retry;
  };
  const Row rows[] = {
      {Kind::kInvalid, 100, "INVALID", 3, "no"},
      {Kind::kUnknownService, 101, "UNKNOWN_SERVICE", 3, "no"},
      {Kind::kMisplaced, 102, "MISPLACED", 14, "other"},
      {Kind::kInvalidTicket, 103, "INVALID_TICKET", 3, "no"},
      {Kind::kNotFound, 104, "NOT_FOUND", 5, "no"},
      {Kind::kConflict, 105, "CONFLICT", 6, "no"},
      {Kind::kUnsupported, 106, "UNSUPPORTED", 12, "no"},
      {Kind::kFailed, 200, "FAILED", 13, "no"},
      {Kind::kCancelled, 201, "CANCELLED", 1, "no"},
      {Kind::kDeadline, 202, "DEADLINE", 4, "no"},
      {Kind::kResultGone, 203, "RESULT_GONE", 5, "here"},
      {Kind::kPoll, 300, "POLL", 4, "here"},
      {Kind::kBackpressure, 301, "BACKPRESSURE", 14, "any"},
      {Kind::kExhausted, 302, "EXHAUSTED", 8, "no"},
      {Kind::kUnauthenticated, 400, "UNAUTHENTICATED", 16, "no"},
      {Kind::kForbidden, 401, "FORBIDDEN", 7, "no"},
      {Kind::kInternal, 500, "INTERNAL", 13, "other"},
      {Kind::kNotReady, 501, "NOT_READY", 14, "any"},
      {Kind::kShuttingDown, 502, "SHUTTING_DOWN", 14, "other"},
      {Kind::kDependency, 503, "DEPENDENCY", 14, "any"},
      {Kind::kCorrupt, 504, "CORRUPT", 15, "other"},
  };
  std::set<Kind> seen;
  for (const Row& row : rows) {
    const WireCode wire = ToWire(row.kind);
    EXPECT_EQ(wire.number, row.number);
    EXPECT_EQ(wire.name, row.name);
    EXPECT_EQ(wire.grpc, row.grpc) << row.name;
    EXPECT_EQ(wire.retry, row.retry) << row.name;
    EXPECT_GE(wire.http, 200) << row.name;
    seen.insert(row.kind);
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kLast) + 1);
}

TEST(WireCodeTest, ArrowsNumbersAreArrows) {
  EXPECT_EQ(ToWire(Kind::kInvalid).arrow, Arrow(arrow::StatusCode::Invalid));
  EXPECT_EQ(ToWire(Kind::kNotFound).arrow, Arrow(arrow::StatusCode::KeyError));
  EXPECT_EQ(ToWire(Kind::kConflict).arrow, Arrow(arrow::StatusCode::AlreadyExists));
  EXPECT_EQ(ToWire(Kind::kUnsupported).arrow, Arrow(arrow::StatusCode::NotImplemented));
  EXPECT_EQ(ToWire(Kind::kFailed).arrow, Arrow(arrow::StatusCode::UnknownError));
  EXPECT_EQ(ToWire(Kind::kCancelled).arrow, Arrow(arrow::StatusCode::Cancelled));
  EXPECT_EQ(ToWire(Kind::kExhausted).arrow, Arrow(arrow::StatusCode::CapacityError));
  EXPECT_EQ(ToWire(Kind::kBackpressure).arrow, Arrow(arrow::StatusCode::IOError));
}

TEST(ErrorJsonTest, SaysEverythingTheContractNames) {
  const Error error{Kind::kBackpressure, Effect::kUnknown, "queue \"full\"",
                    R"({"queued": 7, "after_ms": 250})"};
  EXPECT_EQ(ErrorJson(error), R"({"code":"BACKPRESSURE","number":301,"retry":"any","after_ms":250,)"
                              R"("effect":"unknown","message":"queue \"full\"",)"
                              R"("details":{"after_ms":250,"queued":7}})");
}

TEST(ErrorJsonTest, DetailsThatAreNoObjectAreLeftOut) {
  for (const auto* details : {"", "[1]", "3", "{", "{\"a\":1,\"a\":2}"}) {
    const Json json = *ParseJson(ErrorJson(Fail(Kind::kFailed, "x", details)));
    EXPECT_EQ(json["details"], Json::object()) << details;
  }
}

TEST(ErrorJsonTest, ALongMessageIsCutAtACharacter) {
  std::string message;
  for (int i = 0; i < 2000; ++i) message += "é";
  for (size_t shift = 0; shift < 4; ++shift) {
    const std::string text = ErrorJson(Fail(Kind::kFailed, std::string(shift, 'a') + message));
    EXPECT_LE(text.size(), kErrorJsonBytesMax);
    EXPECT_GT(text.size(), kErrorJsonBytesMax - 8);
    const auto json = ParseJson(text);
    ASSERT_TRUE(json.ok()) << json.error().message;
    EXPECT_THAT((*json)["message"].get<std::string>(), ::testing::EndsWith("é…"));
  }
}

TEST(ErrorJsonTest, DetailsThatDoNotFitAreLeftOutButAfterMsStays) {
  const std::string details = R"({"after_ms": 9, "a": ")" + std::string(1500, 'x') + "\"}";
  const Json small = *ParseJson(ErrorJson(Fail(Kind::kPoll, "short", details)));
  EXPECT_EQ(small["details"]["a"].get<std::string>().size(), 1500u);
  const Json large = *ParseJson(ErrorJson(Fail(Kind::kPoll, std::string(700, 'm'), details)));
  EXPECT_EQ(large["details"], Json::object());
  EXPECT_EQ(large["after_ms"], 9);
  EXPECT_EQ(large["message"].get<std::string>().size(), 700u);
}

TEST(ErrorJsonTest, AnyErrorGivesWellFormedJsonWithinTheLimit) {
  std::mt19937_64 random(20260101);
  const std::string_view pieces[] = {"a",        "\"",       "\\",           "\n",      "\x01",
                                     "é",        "€",        "\U0001F600",   "\xff",    "\xc3",
                                     "\xe2\x82", "\xf0\x9f", "\xed\xa0\x80", "\xc0\xaf"};
  for (int round = 0; round < 2000; ++round) {
    Error error = Fail(static_cast<Kind>(random() % (static_cast<int>(kLast) + 1)), "");
    for (size_t n = random() % 900; n > 0; --n) error.message += pieces[random() % 14];
    error.details = R"({"d": ")" + std::string(random() % 2500, 'd') + "\"}";
    const std::string text = ErrorJson(error);
    ASSERT_LE(text.size(), kErrorJsonBytesMax);
    const auto json = ParseJson(text);
    ASSERT_TRUE(json.ok()) << text << json.error().message;
  }
}

TEST(ErrorJsonTest, ReadsBackToTheSameError) {
  for (int kind = 0; kind <= static_cast<int>(kLast); ++kind) {
    const Error error{static_cast<Kind>(kind), kind % 2 == 0 ? Effect::kNone : Effect::kUnknown,
                      "why: é \"x\"", R"({"after_ms":5,"n":2.0})"};
    const Error back = ParseErrorJson(ErrorJson(error));
    EXPECT_EQ(back.kind, error.kind);
    EXPECT_EQ(back.effect, error.effect);
    EXPECT_EQ(back.message, error.message);
    EXPECT_EQ(back.details, error.details);
  }
  EXPECT_EQ(ParseErrorJson(ErrorJson(Fail(Kind::kFailed, "x"))).details, "");
}

TEST(ErrorJsonTest, AfterMsSurvivesDetailsThatDidNotFit) {
  const Error back = ParseErrorJson(ErrorJson(
      Fail(Kind::kPoll, "m", R"({"after_ms": 9, "a": ")" + std::string(3000, 'x') + "\"}")));
  EXPECT_EQ(back.details, R"({"after_ms":9})");
}

TEST(ErrorJsonTest, WhatIsNoSuchJsonIsInternalWithTheText) {
  for (const auto* text : {"", "Deadline Exceeded", "[1]", R"({"code":"NOPE","message":"x"})",
                           R"({"code":"FAILED"})", R"({"code":5,"message":"x"})"}) {
    const Error error = ParseErrorJson(text);
    EXPECT_EQ(error.kind, Kind::kInternal);
    EXPECT_EQ(error.message, text);
  }
}

}  // namespace
}  // namespace sheaf::command
