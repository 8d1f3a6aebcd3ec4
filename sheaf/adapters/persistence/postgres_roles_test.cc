// PLAN  roles are made once, with tables and rights · guest reads every public column and no
//       private one, and a right too many or too few is seen · who may not make roles is refused
//       and nothing is left · a stronger role of the name is refused · passwords are changed by
//       their role, and guest's by the owner · the owner may give guest no other password than a
//       verifier · the first superuser is locked out

#include "sheaf/adapters/persistence/postgres_roles.h"

#include "sheaf/adapters/persistence/postgres_test.h"
#include "sheaf/adapters/persistence/sql_schema.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

using postgres::Connection;

// Roles are a server's, not a schema's.
class PostgresRolesTest : public testing::Test {
 protected:
  void SetUp() override {
    SHEAF_NEEDS_POSTGRES();
    server_ = std::make_unique<testkit::Postgres>();
    url_ = server_->Url();
    admin_ = Login({.url = url_}).value();
  }
  static Result<std::unique_ptr<Connection>> Login(const postgres::ConnectOptions& options) {
    return Connection::Open(options, RealSurroundings());
  }
  // By password, as from another machine.
  Result<std::unique_ptr<Connection>> As(const std::string& role, const std::string& password) {
    return Login({.url = server_->TcpUrl(role, password)});
  }
  void Create() {
    ASSERT_TRUE(MakeRoles(*admin_, passwords_).ok());
    ASSERT_TRUE(OpenPostgres({.connect = {.url = url_, .role = "sheaf"}}, RealSurroundings()).ok());
    auto owner = Login({.url = url_, .role = "sheaf"}).value();
    ASSERT_TRUE(GrantToGuest(*owner).ok());
  }

  const std::map<std::string, std::string> passwords_ = {{"sheaf", "one"}, {"guest", "two"}};
  std::unique_ptr<testkit::Postgres> server_;
  std::string url_;
  std::unique_ptr<Connection> admin_;
};

TEST_F(PostgresRolesTest, RolesAreMadeOnce) {
  RolesSeen seen = LookAtRoles(*admin_).value();
  EXPECT_FALSE(seen.owner || seen.guest || seen.granted);
  EXPECT_EQ(seen.schema, 0);
  EXPECT_EQ(MakeRoles(*admin_, passwords_).value(), (std::vector<std::string>{"sheaf", "guest"}));
  EXPECT_FALSE(LookAtRoles(*admin_)->complete());
  Create();
  seen = LookAtRoles(*admin_).value();
  EXPECT_TRUE(seen.complete() && seen.superuser);
  EXPECT_EQ(seen.schema, kSchemaVersion);
  EXPECT_EQ(MakeRoles(*admin_, {{"sheaf", "x"}, {"guest", "y"}}).value().size(), 0u);
  EXPECT_TRUE(As("sheaf", "one").ok());  // Not x.
}

TEST_F(PostgresRolesTest, GuestReadsEveryPublicColumnAndNoOther) {
  Create();
  auto guest = As("guest", "two").value();
  for (const auto* table : records::kTables) {
    for (const auto& property : table->properties) {
      if (!table->IsColumn(property)) continue;
      const auto read = guest->Query(Sql("SELECT ") + Sql::Name(property.column) + " FROM " +
                                     Sql::Name(table->name));
      EXPECT_EQ(read.ok(), !property.is_private) << table->name << "." << property.column;
      EXPECT_TRUE(read.ok() || read.error().kind == Kind::kForbidden);
    }
    EXPECT_FALSE(guest->Run(Sql("DELETE FROM ") + Sql::Name(table->name)).ok());
  }
  EXPECT_FALSE(guest->Run(Sql("CREATE TABLE mine (a integer)")).ok());
  ASSERT_TRUE(admin_->Run(Sql("GRANT SELECT ON smmeta TO guest")).ok());
  EXPECT_FALSE(LookAtRoles(*admin_)->granted);
  auto owner = Login({.url = url_, .role = "sheaf"}).value();
  ASSERT_TRUE(GrantToGuest(*owner).ok());
  EXPECT_TRUE(LookAtRoles(*admin_)->granted);
  ASSERT_TRUE(admin_->Run(Sql("REVOKE SELECT (state) ON jobs FROM guest")).ok());
  EXPECT_FALSE(LookAtRoles(*admin_)->granted);
}

TEST_F(PostgresRolesTest, WhoMayNotMakeRolesIsRefused) {
  ASSERT_TRUE(admin_->Run(Sql("CREATE ROLE clerk LOGIN")).ok());
  auto clerk = Login({.url = url_, .role = "clerk"}).value();
  const auto refused = MakeRoles(*clerk, passwords_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kForbidden);
  ASSERT_TRUE(admin_->Run(Sql("ALTER ROLE clerk CREATEROLE")).ok());
  ASSERT_TRUE(admin_->Run(Sql("CREATE ROLE guest SUPERUSER")).ok());
  const auto strong = MakeRoles(*admin_, passwords_);
  ASSERT_FALSE(strong.ok());
  EXPECT_EQ(strong.error().kind, Kind::kConflict);
  EXPECT_FALSE(LookAtRoles(*admin_)->owner);  // All or nothing.
}

TEST_F(PostgresRolesTest, PasswordsAreChangedByTheirRoleAndGuestsByTheOwner) {
  Create();
  auto owner = As("sheaf", "one").value();
  EXPECT_TRUE(SetPassword(*owner, "sheaf", "three").ok());
  const Status guests = SetPassword(*owner, "guest", "four");
  EXPECT_TRUE(guests.ok()) << guests.error().message;
  EXPECT_FALSE(As("sheaf", "one").ok());
  EXPECT_TRUE(As("sheaf", "three").ok());
  EXPECT_FALSE(As("guest", "two").ok());
  auto guest = As("guest", "four").value();
  EXPECT_FALSE(SetPassword(*guest, "sheaf", "five").ok());
  EXPECT_TRUE(As("sheaf", "three").ok());
  EXPECT_TRUE(SetPassword(*admin_, "guest", "six").ok());
  EXPECT_TRUE(As("guest", "six").ok());
  EXPECT_FALSE(owner->Run(Sql("SELECT sheaf_guest_password('plain')")).ok());
  EXPECT_FALSE(owner->Run(Sql("SELECT sheaf_guest_password(NULL)")).ok());
  EXPECT_TRUE(As("guest", "six").ok());
  const auto unknown = SetPassword(*admin_, "nobody", "x");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().kind, Kind::kNotReady);
}

TEST_F(PostgresRolesTest, TheFirstSuperuserIsLockedOutAndGuestMakesNoTemporaryTables) {
  Create();
  EXPECT_TRUE(As("guest", "two").value()->Run(Sql("CREATE TEMP TABLE t (a integer)")).ok());
  ASSERT_TRUE(CloseDatabase(*admin_).ok());
  ASSERT_TRUE(LockSuperuser(*admin_).ok());
  EXPECT_FALSE(As("postgres", server_->password()).ok());
  EXPECT_FALSE(LookAtRoles(*admin_)->superuser);
  EXPECT_FALSE(As("guest", "two").value()->Run(Sql("CREATE TEMP TABLE t (a integer)")).ok());
  EXPECT_TRUE(As("sheaf", "one").value()->Run(Sql("CREATE TEMP TABLE t (a integer)")).ok());
}

}  // namespace
}  // namespace sheaf::persistence
