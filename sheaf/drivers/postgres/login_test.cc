// PLAN  a URL is given to another user without its password, everything else kept · a password
//       comes from the file when the URL has none, and the URL's wins · a wrong one and a missing
//       one are said at once, also when it came from a file · a role is taken on · a verifier
//       holds no password and the server takes it

#include <filesystem>
#include <fstream>

#include "sheaf/drivers/postgres/postgres_test.h"
#include "testkit/temporary.h"

namespace sheaf::postgres {
namespace {

TEST(UrlTest, AnotherUserGetsTheSameDatabaseWithoutThePassword) {
  const std::string given =
      "postgresql://me:secret@there:5433/base?sslmode=disable&options=-csearch_path%3Da%20b";
  const std::string made = UrlFor(given, "sheaf").value();
  EXPECT_EQ(made,
            "postgresql://sheaf@/base?host=there&options=-csearch_path%3Da%20b&port=5433&"
            "sslmode=disable");
  EXPECT_EQ(WhereOf(made).value(), "postgresql://sheaf@there:5433/base");
  EXPECT_EQ(UrlFor(made, "sheaf").value(), made);
  EXPECT_EQ(KindOf(UrlFor("mysql://a/b", "x")), Kind::kInvalid);
  EXPECT_EQ(WhereOf(given, "other").value(), "postgresql://other@there:5433/base");
  const Named named = NamedIn(given).value();
  EXPECT_EQ(named.user + " " + named.database, "me base");
  EXPECT_TRUE(named.password);
  EXPECT_FALSE(NamedIn(made)->password);
}

class LoginTest : public PostgresTest {
 protected:
  ConnectOptions WithFile(const std::string& password) {
    const std::string file = directory_.path() + "/pass";
    std::ofstream(file) << "*:*:*:postgres:" << password << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    auto& server = testkit::Postgres::Shared();
    return {.url = UrlFor(server.TcpUrl("postgres", "x"), "postgres").value(), .passfile = file};
  }
  testkit::TemporaryDirectory directory_;
};

TEST_F(LoginTest, ThePasswordComesFromTheFileWhenTheUrlHasNone) {
  auto& server = testkit::Postgres::Shared();
  EXPECT_TRUE(TryOpen(WithFile(server.password())).ok());
  auto options = WithFile("wrong");
  options.url = server.TcpUrl("postgres", server.password());
  EXPECT_TRUE(TryOpen(options).ok());
}

TEST_F(LoginTest, AWrongPasswordOfAFileIsSaidAtOnce) {
  const auto wrong = TryOpen(WithFile("wrong"));
  EXPECT_EQ(KindOf(wrong), Kind::kUnauthenticated);
  EXPECT_NE(wrong.error().message.find("refuses this user or its password"), std::string::npos);
  EXPECT_TRUE(waits_.empty());
}

TEST_F(LoginTest, AMissingPasswordIsSaidAtOnce) {
  auto options = WithFile("x");
  options.passfile = directory_.path() + "/none";
  const auto missing = TryOpen(options);
  EXPECT_EQ(KindOf(missing), Kind::kUnauthenticated);
  EXPECT_NE(missing.error().message.find("demands a password"), std::string::npos);
  EXPECT_TRUE(waits_.empty());
}

TEST_F(LoginTest, ARoleIsTakenOnAndAVerifierIsTheServers) {
  auto admin = Open();
  ASSERT_TRUE(admin->Run(Sql("create role login_test login")).ok());
  auto options = ConnectOptions{.url = testkit::Postgres::Shared().Url(), .role = "login_test"};
  EXPECT_EQ(Number(*TryOpen(options).value(),
                   Sql("select count(*) from pg_roles where rolname = current_user and "
                       "rolname = 'login_test'")),
            1);
  const std::string verifier = admin->Verifier("login_test", "secret").value();
  EXPECT_TRUE(verifier.starts_with("SCRAM-SHA-256$")) << verifier;
  EXPECT_EQ(verifier.find("secret"), std::string::npos);
  const Value values[] = {std::string_view(verifier)};
  ASSERT_TRUE(admin->Run(Sql("select set_config('test.v', $1, false)"), values).ok());
  ASSERT_TRUE(admin
                  ->Run(Sql("do $do$ begin execute format('alter role login_test password %L', "
                            "current_setting('test.v')); end $do$"))
                  .ok());
  auto& server = testkit::Postgres::Shared();
  EXPECT_TRUE(TryOpen({.url = server.TcpUrl("login_test", "secret")}).ok());
  EXPECT_EQ(KindOf(TryOpen({.url = server.TcpUrl("login_test", "wrong")})), Kind::kUnauthenticated);
  EXPECT_TRUE(admin->Run(Sql("drop role login_test")).ok());
}

}  // namespace
}  // namespace sheaf::postgres
