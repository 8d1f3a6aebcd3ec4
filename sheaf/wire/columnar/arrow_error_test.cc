// PLAN  every error goes through a Status and comes out the same · also through Arrow's own code
//       · a Status of Arrow's becomes the kind that the caller names, save for memory, capacity and
//       cancellation · the macros return the error
#include "sheaf/wire/columnar/arrow_error.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <string>

#include "sheaf/base/core/core.h"

namespace sheaf::columnar {
namespace {

TEST(ArrowErrorTest, EveryErrorComesOutAsItWentIn) {
  for (int kind = 0; kind <= static_cast<int>(Kind::kCorrupt); ++kind) {
    const Error error{static_cast<Kind>(kind), kind % 2 == 0 ? Effect::kNone : Effect::kUnknown,
                      "why", R"({"n":1})"};
    const arrow::Status status = ToArrow(error);
    ASSERT_FALSE(status.ok());
    const Error back = FromArrow(status, Kind::kNotFound);
    EXPECT_EQ(back.kind, error.kind);
    EXPECT_EQ(back.effect, error.effect);
    EXPECT_EQ(back.message, error.message);
    EXPECT_EQ(back.details, error.details);
  }
}

TEST(ArrowErrorTest, ArrowsCallersSeeACodeThatFits) {
  EXPECT_TRUE(ToArrow(Fail(Kind::kInvalid, "x")).IsInvalid());
  EXPECT_TRUE(ToArrow(Fail(Kind::kNotFound, "x")).IsKeyError());
  EXPECT_TRUE(ToArrow(Fail(Kind::kConflict, "x")).IsAlreadyExists());
  EXPECT_TRUE(ToArrow(Fail(Kind::kCancelled, "x")).IsCancelled());
  EXPECT_TRUE(ToArrow(Fail(Kind::kExhausted, "x")).IsCapacityError());
  EXPECT_TRUE(ToArrow(Fail(Kind::kDependency, "x")).IsIOError());
  EXPECT_TRUE(ToArrow(Fail(Kind::kUnsupported, "x")).IsNotImplemented());
}

TEST(ArrowErrorTest, AnErrorInsideAReaderReachesWhoReadsIt) {
  const auto schema = arrow::schema({});
  using Next = arrow::Result<std::shared_ptr<arrow::RecordBatch>>;
  auto failing = arrow::MakeFunctionIterator([]() -> Next {
    return ToArrow(Error{Kind::kResultGone, Effect::kUnknown, "gone", "{}"});
  });
  const auto reader = *arrow::RecordBatchReader::MakeFromIterator(std::move(failing), schema);
  const auto table = reader->ToTable();
  ASSERT_FALSE(table.ok());
  const Error error = FromArrow(table.status());
  EXPECT_EQ(error.kind, Kind::kResultGone);
  EXPECT_EQ(error.effect, Effect::kUnknown);
}

TEST(ArrowErrorTest, WhatArrowAddedToTheMessageIsKept) {
  const arrow::Status grown = ToArrow(Fail(Kind::kCorrupt, "torn")).WithMessage("column 3: torn");
  EXPECT_EQ(FromArrow(grown).kind, Kind::kCorrupt);
  EXPECT_EQ(FromArrow(grown).message, "column 3: torn");
}

TEST(ArrowErrorTest, AStatusOfArrowsHasTheKindThatTheCallerNames) {
  EXPECT_EQ(FromArrow(arrow::Status::Invalid("x")).kind, Kind::kFailed);
  EXPECT_EQ(FromArrow(arrow::Status::IOError("x"), Kind::kDependency).kind, Kind::kDependency);
  EXPECT_EQ(FromArrow(arrow::Status::OutOfMemory("x"), Kind::kInvalid).kind, Kind::kExhausted);
  EXPECT_EQ(FromArrow(arrow::Status::CapacityError("x"), Kind::kInvalid).kind, Kind::kExhausted);
  EXPECT_EQ(FromArrow(arrow::Status::Cancelled("x"), Kind::kInvalid).kind, Kind::kCancelled);
  EXPECT_EQ(FromArrow(arrow::Status::IOError("a ", 1)).message, "a 1");
  EXPECT_FALSE(FromArrow(arrow::Status::IOError("")).message.empty());
}

Result<int> Twice(arrow::Result<int> number) {
  SHEAF_ARROW_ASSIGN(const int n, Kind::kCorrupt, std::move(number));
  SHEAF_ARROW_TRY(Kind::kConflict, n > 10 ? arrow::Status::Invalid("large") : arrow::Status::OK());
  return 2 * n;
}

TEST(ArrowErrorTest, TheMacrosReturnTheErrorWithItsKind) {
  EXPECT_EQ(*Twice(4), 8);
  EXPECT_EQ(Twice(arrow::Status::IOError("x")).error().kind, Kind::kCorrupt);
  EXPECT_EQ(Twice(11).error().kind, Kind::kConflict);
}

}  // namespace
}  // namespace sheaf::columnar
