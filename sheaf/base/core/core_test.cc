// PLAN  results carry a value or an error and TRY passes errors on · byte sizes read and print
//       · ids differ · charges go up the tree, TryCharge refuses and changes nothing
//       · SQL is quoted names, numbers and literals · the nearest word is found, a far one is not
//       guessed
#include "sheaf/base/core/core.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "sheaf/base/core/resident.h"

namespace sheaf::core {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(Kind::kInvalid, "odd");
  return n / 2;
}
Result<int> Quarter(int n) {
  SHEAF_ASSIGN(const int half, Half(n));
  SHEAF_TRY(Half(half));
  return half / 2;
}

TEST(ResultTest, TryPassesTheErrorOnAndAssignTakesTheValue) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message, "odd");
  EXPECT_EQ(Quarter(3).error().kind, Kind::kInvalid);
}

TEST(ResultTest, HoldsTypesThatOnlyMove) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, ReadingTheValueOfAFailureEndsTheProcess) {
  EXPECT_DEATH((void)*Half(1), "check failed");
}

TEST(ErrorTest, InPutsThePlaceBeforeTheMessage) {
  EXPECT_EQ(Fail(Kind::kInvalid, "bad").In("here").message, "here: bad");
}

TEST(BytesTest, ReadsWhatPeopleWrite) {
  EXPECT_EQ(ParseBytes("256MiB")->count, 256 << 20);
  EXPECT_EQ(ParseBytes("2.5 KiB")->count, 2560);
  EXPECT_EQ(ParseBytes("10MB")->count, 10'000'000);
  EXPECT_EQ(ParseBytes("17")->count, 17);
  for (const auto* bad : {"", "MiB", "-1", "3 apples", "1e300", "nan", "9e18KiB"}) {
    EXPECT_FALSE(ParseBytes(bad).ok()) << bad;
  }
}

TEST(BytesTest, PrintsTheLargestUnit) {
  EXPECT_EQ(ToText(1536_MiB), "1.5GiB");
  EXPECT_EQ(ToText(5_B), "5B");
  EXPECT_EQ(ToText(64_KiB), "64KiB");
}

TEST(IdsTest, AThousandIdsDifferAndAreHex) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(NewId<TaskTag>().text);
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(seen.begin()->find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(seen.begin()->size(), 32u);
}

TEST(LedgerTest, AChargeIsCountedInEveryAccountAbove) {
  auto root = Account::Root("all", 100_B);
  auto child = root->Open("tasks", 60_B);
  child->Charge(40_B);
  EXPECT_EQ(root->used(), 40_B);
  child->Release(40_B);
  EXPECT_EQ(root->used(), 0_B);
  EXPECT_EQ(root->peak(), 40_B);
}

TEST(LedgerTest, TryChargeRefusesAboveAnyLimitAndChangesNothing) {
  auto root = Account::Root("all", 100_B);
  auto a = root->Open("a", 60_B);
  auto b = root->Open("b");
  EXPECT_FALSE(a->TryCharge(61_B));
  EXPECT_TRUE(a->TryCharge(60_B));
  EXPECT_FALSE(b->TryCharge(41_B));
  EXPECT_EQ(root->used(), 60_B);
  EXPECT_TRUE(b->TryCharge(40_B));
}

TEST(LedgerTest, AScopedChargeIsGivenBackOnce) {
  auto root = Account::Root("all", {});
  {
    Charge first(root, 10_B);
    Charge second = std::move(first);
    second.Grow(5_B);
    EXPECT_EQ(root->used(), 15_B);
  }
  EXPECT_EQ(root->used(), 0_B);
}

TEST(SqlTest, IsQuotedNamesNumbersAndLiterals) {
  const Sql sql =
      Sql("select ") + Sql::Name("user") + " from " + Sql::Name("t") + " limit " + Sql::Number(-7);
  EXPECT_EQ(sql.text(), "select \"user\" from \"t\" limit -7");
  EXPECT_EQ(Sql::IndexName("t", "user").text(), "\"t_user_idx\"");
  for (const auto* name : {"", "1a", "a-b", "a\"b", "a b", "\xC3\xA9"}) {
    EXPECT_FALSE(IsSqlName(name)) << name;
  }
  EXPECT_FALSE(IsSqlName(std::string(49, 'a')));
  EXPECT_TRUE(IsSqlName("_a1"));
}

TEST(NearestTest, FindsTheWordThatWasMeant) {
  constexpr std::string_view words[] = {"service", "inputs", "spec", "sink", "options"};
  EXPECT_EQ(Nearest("servcie", words), "service");
  EXPECT_EQ(Nearest("input", words), "inputs");
  EXPECT_EQ(Nearest("banana", words), "");
  EXPECT_EQ(UnknownWord("key", "sinks", words), "unknown key 'sinks'; did you mean 'sink'?");
  EXPECT_EQ(UnknownWord("key", "zzzzzzzz", words),
            "unknown key 'zzzzzzzz'; known: service, inputs, spec, sink, options");
}

TEST(ResidentTest, IsAskedOfTheSystem) {
  const Bytes before = ResidentAnonymous();
  EXPECT_GT(before, Bytes{});
  const std::string much(64 << 20, 'x');
  EXPECT_GT(ResidentAnonymous() - before, 32_MiB) << much.size();
}

}  // namespace
}  // namespace sheaf::core
