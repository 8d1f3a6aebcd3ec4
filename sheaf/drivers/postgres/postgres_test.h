// What tests of the driver share: connections to a real server.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/async/event.h"
#include "sheaf/drivers/postgres/postgres.h"
#include "testkit/postgres.h"

namespace sheaf::postgres {

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override { SHEAF_NEEDS_POSTGRES(); }

  Surroundings Around() {
    return {.clock = clock_,
            .wait =
                [this](Duration wait) {
                  waits_.push_back(wait);
                  (void)never_.WaitFor(wait);
                  return Done();
                },
            .chance = [] { return 0.5; }};
  }
  Result<std::unique_ptr<Connection>> TryOpen(ConnectOptions options) {
    return Connection::Open(std::move(options), Around());
  }
  std::unique_ptr<Connection> Open() {
    return TryOpen({.url = testkit::Postgres::Shared().FreshUrl()}).value();
  }
  // The only number of the only row.
  static int64_t Number(Connection& connection, const Sql& sql,
                        const std::vector<Value>& values = {}) {
    const auto rows = connection.Query(sql, values);
    EXPECT_TRUE(rows.ok()) << rows.error().message;
    return std::get<int64_t>(rows->At(0, 0).value());
  }

  time::SystemClock clock_;
  Event never_;
  std::vector<Duration> waits_;
};

template <typename Answer>
Kind KindOf(const Answer& answer) {
  EXPECT_FALSE(answer.ok());
  return answer.ok() ? Kind::kInternal : answer.error().kind;
}

}  // namespace sheaf::postgres
