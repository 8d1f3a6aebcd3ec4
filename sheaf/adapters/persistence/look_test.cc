// PLAN  who only looks finds what is there while another writes, and cannot write · what is not
//       there is not made · a database without our tables and one of a later program are told
//       apart, both versions named · nothing is left beside the file

#include <gmock/gmock.h>

#include <filesystem>

#include "sheaf/adapters/persistence/sql_look.h"
#include "sheaf/adapters/persistence/sqlite_test.h"

namespace sheaf::persistence {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LookTest : public SqlitePersistenceTest {
 protected:
  Result<SqlPersistence> Look() { return OpenSqlite({.path = path_, .opening = Opening::kLook}); }
};

TEST_F(LookTest, WhatIsThereIsReadBesideAWriterAndNothingIsWritten) {
  Open();
  const Epoch epoch = opened_.parts.fencing->Acquire("node/n", "test").value();
  auto looked = Look();
  ASSERT_TRUE(looked.ok()) << looked.error().message;
  EXPECT_EQ(looked->parts.fencing->Holder("node/n")->number, epoch.number);
  const auto stolen = looked->parts.fencing->Acquire("node/n", "thief");
  ASSERT_FALSE(stolen.ok());
  EXPECT_EQ(stolen.error().kind, Kind::kForbidden);
  EXPECT_EQ(opened_.parts.fencing->Acquire("node/n", "test")->number, epoch.number + 1);
  EXPECT_EQ(looked->parts.fencing->Holder("node/n")->number, epoch.number + 1);
}

TEST_F(LookTest, WhatIsNotThereIsNotMade) {
  EXPECT_FALSE(Look().ok());
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(LookTest, AnotherSchemaIsNamedAndNothingIsLeftBesideTheFile) {
  ASSERT_TRUE(sqlite::Database::Open({.path = path_}).value()->Run("create table t (a)").ok());
  auto strange = Look();
  ASSERT_FALSE(strange.ok());
  EXPECT_EQ(strange.error().kind, Kind::kNotReady);
  EXPECT_THAT(strange.error().message, HasSubstr("not initialised"));
  Open();
  opened_ = {};
  {
    auto behind = sqlite::Database::Open({.path = path_}).value();
    ASSERT_TRUE(behind->Run("update sheaf_schema set value = '99' where name = 'version'").ok());
  }
  auto later = Look();
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().kind, Kind::kUnsupported);
  EXPECT_THAT(later.error().message, HasSubstr("version 99"));
  EXPECT_FALSE(fs::exists(path_ + "-wal"));
}

}  // namespace
}  // namespace sheaf::persistence
