// PLAN  a value comes back as it is · an absent one is named with its place · bad names and large
//       values are refused · no error holds a value
#include "sheaf/ports/secrets/contract/secrets_contract.h"

#include <iostream>
#include <random>

#include "sheaf/ports/secrets/faulty_secrets.h"

namespace sheaf::secrets {

std::ostream& operator<<(std::ostream& out, const Backend& backend) { return out << backend.name; }

void SecretsContract::TearDownTestSuite() {
  const Backend& backend = GetParam();
  if (!backend.keeps_last_newline) std::cout << "deviation: trims one newline at the end\n";
  if (!backend.names_are_exact) std::cout << "deviation: names that differ may be the same\n";
}

void SecretsContract::Open(const std::map<std::string, std::string>& values) {
  source_ = GetParam().open(values);
  auto random = std::make_shared<std::mt19937>(1);
  front_ = std::make_unique<FaultySecrets>(*source_, [random] {
    const bool refuse = static_cast<int>((*random)() % 10) < GetParam().faults_in_ten;
    return refuse ? Fault::kRefuse : Fault::kNone;
  });
}

Result<std::string> SecretsContract::Get(std::string_view name) {
  while (true) {
    auto value = front_->Get(name);
    if (value.ok() || value.error().kind != Kind::kDependency) return value;
  }
}

TEST_P(SecretsContract, AValueComesBackAsItIs) {
  Open({{"db.password", "p\"w ='\xc3\xa9\n\nx"}, {"other", "second"}});
  const auto value = Get("db.password");
  ASSERT_TRUE(value.ok()) << value.error().message;
  EXPECT_EQ(*value, "p\"w ='\xc3\xa9\n\nx");
  EXPECT_EQ(*Get("other"), "second");
}

TEST_P(SecretsContract, AnAbsentSecretIsNamedWithThePlace) {
  Open({{"here", "value"}});
  const auto value = Get("not_here");
  ASSERT_EQ(value.error().kind, Kind::kNotFound);
  EXPECT_NE(value.error().message.find("not_here"), std::string::npos);
  EXPECT_GT(value.error().message.size(), std::string("secret 'not_here'").size());
}

TEST_P(SecretsContract, ABadNameIsInvalid) {
  Open({});
  for (const auto* bad : {"", ".", "..", "../x", "a/b", "a=b", "a b"}) {
    EXPECT_EQ(Get(bad).error().kind, Kind::kInvalid) << bad;
  }
}

TEST_P(SecretsContract, AValueAboveTheLimitIsInvalidAndNotInTheError) {
  Open({{"large", std::string(kValueBytesMax + 1, 's')},
        {"full", std::string(kValueBytesMax, 's')}});
  EXPECT_EQ(Get("large").error().kind, Kind::kInvalid);
  EXPECT_EQ(Get("large").error().message.find("sss"), std::string::npos);
  EXPECT_EQ(Get("full")->size(), kValueBytesMax);
}

TEST_P(SecretsContract, TheLastNewlineIsKeptUnlessDeclared) {
  Open({{"line", "value\n"}});
  EXPECT_EQ(*Get("line"), GetParam().keeps_last_newline ? "value\n" : "value");
}

}  // namespace sheaf::secrets
