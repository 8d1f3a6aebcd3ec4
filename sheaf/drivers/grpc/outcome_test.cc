// PLAN  a text is shortened between characters and says so · a number that is no gRPC error code
//       becomes kUnknown, never OK
#include "sheaf/drivers/grpc/outcome.h"

#include <gtest/gtest.h>

namespace sheaf::grpc {
namespace {

TEST(OutcomeTest, ShortTextsStayAsTheyAre) {
  EXPECT_EQ(Shorten("", 0), "");
  EXPECT_EQ(Shorten("abc", 3), "abc");
}

TEST(OutcomeTest, LongTextsAreCutBetweenCharactersAndMarked) {
  EXPECT_EQ(Shorten("abcdefgh", 6), "abc…");
  EXPECT_EQ(Shorten("äöüäöü", 8), "äö…");   // Two bytes each; the fifth byte is half an ü.
  EXPECT_EQ(Shorten("abc", 2), "");          // No room even for the mark.
  for (size_t bytes = 0; bytes < 40; ++bytes) {
    EXPECT_LE(Shorten("süß, süßer, am süßesten: 蜂蜜", bytes).size(), std::max<size_t>(bytes, 0));
  }
}

TEST(OutcomeTest, AnErrorIsNeverOk) {
  EXPECT_EQ(CodeOf(0), ::grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(CodeOf(-1), ::grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(CodeOf(17), ::grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(CodeOf(5), ::grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(CodeOf(16), ::grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace sheaf::grpc
