// PLAN  a password is found under its role and replaced alone · what others wrote stays · the file
//       is its owner's alone at any time, and one that others may read is refused by name · no file
//       is no passwords · a new password has 192 bits and is another each time

#include "sheaf/apps/sheaf/password_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sheaf/apps/sheaf/private_file.h"
#include "testkit/temporary.h"

namespace sheaf::app {
namespace {

using ::testing::HasSubstr;

class PasswordFileTest : public ::testing::Test {
 protected:
  std::string Text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  testkit::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/database.pass";
};

TEST_F(PasswordFileTest, APasswordIsReplacedAloneAndWhatOthersWroteStays) {
  ASSERT_TRUE(WritePrivate(path_, "# mine\nhost:5432:*:ann:a\\:b\n*:*:*:sheaf:old\n").ok());
  auto passwords = Passwords::Read(path_).value();
  EXPECT_EQ(passwords.Find("sheaf"), "old");
  EXPECT_EQ(passwords.Find("ann"), std::nullopt);  // Of another host: not ours.
  EXPECT_TRUE(passwords.Concerns("ann"));          // Libpq may find one.
  passwords.Set("sheaf", "new");
  passwords.Set("guest", "g");
  ASSERT_TRUE(passwords.Write(path_).ok());
  EXPECT_EQ(Text(), "# mine\nhost:5432:*:ann:a\\:b\n*:*:*:sheaf:new\n*:*:*:guest:g\n");
  EXPECT_EQ(Passwords::Read(path_)->Find("guest"), "g");
}

TEST_F(PasswordFileTest, TheFileIsItsOwnersAlone) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(WritePrivate(path_, "x").ok());
  ::umask(before);
  struct stat facts {};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  const auto refused = Passwords::Read(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kForbidden);
  EXPECT_THAT(refused.error().message, HasSubstr(path_));
  ASSERT_TRUE(WritePrivate(path_, "y").ok());  // A new file takes its place.
  EXPECT_EQ(ReadPrivate(path_, "file").value(), "y");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(PasswordFileTest, NoFileIsNoPasswords) {
  EXPECT_EQ(Passwords::Read(path_)->Find("sheaf"), std::nullopt);
  Passwords own;
  own.Set("sheaf", "x");
  EXPECT_TRUE(own.Concerns("sheaf"));
  EXPECT_FALSE(own.Concerns("postgres"));
  EXPECT_EQ(ReadPrivate(path_, "file").error().kind, Kind::kNotFound);
  EXPECT_FALSE(WritePrivate(directory_.path() + "/no/such/file", "x").ok());
}

TEST_F(PasswordFileTest, ANewPasswordHas192BitsAndIsAnotherEachTime) {
  const std::string one = NewPassword();
  EXPECT_EQ(one.size(), 48u);
  EXPECT_EQ(one.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(one, NewPassword());
}

}  // namespace
}  // namespace sheaf::app
