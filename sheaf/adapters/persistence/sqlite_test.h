// What tests of the SQLite back end share: an open file, and a second way into it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sqlite_persistence.h"
#include "sheaf/drivers/sqlite/sqlite.h"
#include "sheaf/ports/persistence/contract/persistence_contract.h"
#include "testkit/power_cut.h"
#include "testkit/temporary.h"

namespace sheaf::persistence {

class SqlitePersistenceTest : public testing::Test {
 protected:
  Result<SqlPersistence> TryOpen(CheckpointLimits limits = {}) {
    return OpenSqlite({.path = path_, .checkpoint = limits});
  }
  void Open(CheckpointLimits limits = {}) {
    opened_ = {};
    opened_ = TryOpen(limits).value();
  }
  // On a disk that counts, and whose power could be cut.
  void OpenOnDisk() {
    disk_ = std::make_unique<testkit::PowerCutDisk>(directory_.path());
    files_ = std::make_unique<testkit::PowerCutFiles>(*disk_);
    vfs_ = std::make_unique<testkit::PowerCutVfs>(*disk_);
    opened_ = OpenSqlite({.path = path_,
                          .vfs = vfs_->name(),
                          .files = files_.get(),
                          .sharing = SqliteOptions::Sharing::kExclusive})
                  .value();
  }
  // Behind the back end's back.
  std::unique_ptr<sqlite::Database> Behind() {
    return sqlite::Database::Open({.path = path_}).value();
  }
  WorkHistory& history() { return *opened_.parts.history; }
  ResourceState& resources() { return *opened_.parts.resources; }
  Epoch Acquire(std::string_view scope = "node/n") {
    return opened_.parts.fencing->Acquire(scope, "test").value();
  }
  Epoch Started() {
    const Epoch epoch = Acquire();
    EXPECT_TRUE(history().Restore(epoch, RestoreMode::kWarm).ok());
    return epoch;
  }
  // Item i holds its number.
  Status Put(const Epoch& epoch, int64_t i) {
    return history().Change(epoch, {{{i, std::to_string(i)}}, {}, {}, {}});
  }
  static int64_t Number(sqlite::Database& database, const Sql& sql) {
    auto rows = database.Query(sql).value();
    EXPECT_TRUE(rows.Next().value());
    return rows.Integer(0);
  }

  testkit::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/sheaf.db";
  std::unique_ptr<testkit::PowerCutDisk> disk_;  // Before what lies on it.
  std::unique_ptr<testkit::PowerCutFiles> files_;
  std::unique_ptr<testkit::PowerCutVfs> vfs_;
  SqlPersistence opened_;
};

}  // namespace sheaf::persistence
