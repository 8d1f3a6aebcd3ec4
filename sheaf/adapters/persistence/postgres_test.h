// What tests of the PostgreSQL back end share: a real server, and a second way into it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/adapters/persistence/postgres_persistence.h"
#include "sheaf/base/async/event.h"
#include "sheaf/drivers/postgres/postgres.h"
#include "sheaf/ports/persistence/contract/persistence_contract.h"
#include "testkit/postgres.h"

namespace sheaf::persistence {

// The machine's time; waits are real and short.
inline postgres::Surroundings RealSurroundings() {
  static time::SystemClock clock;
  return {.clock = clock,
          .wait =
              [](Duration wait) {
                (void)Event().WaitFor(wait);
                return Done();
              },
          .chance = [] { return 0.5; }};
}

class PostgresPersistenceTest : public testing::Test {
 protected:
  void SetUp() override {
    SHEAF_NEEDS_POSTGRES();
    url_ = testkit::Postgres::Shared().FreshUrl();
  }
  Result<SqlPersistence> TryOpen(CheckpointLimits limits = {}, Executor* background = nullptr) {
    return OpenPostgres({.connect = {.url = url_}, .checkpoint = limits, .background = background},
                        RealSurroundings());
  }
  void Open(CheckpointLimits limits = {}, Executor* background = nullptr) {
    opened_ = {};
    opened_ = TryOpen(limits, background).value();
  }
  // Behind the back end's back.
  std::unique_ptr<postgres::Connection> Behind() {
    return postgres::Connection::Open({.url = url_}, RealSurroundings()).value();
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
  static int64_t Number(postgres::Connection& database, const Sql& sql) {
    const auto rows = database.Query(sql).value();
    EXPECT_EQ(rows.size(), 1u);
    return std::get<int64_t>(rows.At(0, 0).value());
  }

  std::string url_;
  SqlPersistence opened_;
};

}  // namespace sheaf::persistence
