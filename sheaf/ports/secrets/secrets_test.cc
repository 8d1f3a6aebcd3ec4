// PLAN  names are checked · a faulty store refuses
#include "sheaf/ports/secrets/secrets.h"

#include <gtest/gtest.h>

#include "sheaf/ports/secrets/faulty_secrets.h"

namespace sheaf::secrets {
namespace {

class Echo final : public Secrets {
 public:
  Result<std::string> Get(std::string_view name) override { return std::string(name); }
};

TEST(SecretsTest, NamesAreCheckedAndNotRepeatedInTheError) {
  for (const auto* good : {"a", "sales.password", "A-1_b"}) EXPECT_TRUE(CheckName(good).ok());
  for (const auto* bad : {"", ".", "..", ".hidden", "a/b", "a b", "a\n", "../x", "\xc3\xa9"}) {
    const Status status = CheckName(bad);
    EXPECT_EQ(status.error().kind, Kind::kInvalid) << bad;
  }
  EXPECT_FALSE(CheckName(std::string(129, 'a')).ok());
}

TEST(FaultySecretsTest, RefusesWhenTold) {
  Echo inner;
  Fault fault = Fault::kRefuse;
  FaultySecrets faulty(inner, [&] { return fault; });
  EXPECT_EQ(faulty.Get("a").error().kind, Kind::kDependency);
  fault = Fault::kNone;
  EXPECT_EQ(*faulty.Get("a"), "a");
}

}  // namespace
}  // namespace sheaf::secrets
