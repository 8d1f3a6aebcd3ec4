// The contract of Store: every clause of the door, for every implementation.
//
// A room's tests describe their store as a Backend and instantiate StoreContract with it. What an
// implementation does not do is a named deviation in its Backend, printed at the end of the run.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/base/time/time.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::store::contract {

struct WorldOptions {
  Bytes memory_budget{};
  Bytes disk_budget{};
};

// A store and what it borrows.
class World {
 public:
  virtual ~World() = default;
  virtual Store& store() = 0;
  virtual ManualClock& clock() = 0;
  // Closes the store and opens it again over what it left.
  virtual void Reopen() = 0;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<World>(const WorldOptions&)> open;
  // Deviations: each false is one.
  bool disk_survives_reopen = true;  // Disk-tier flights are durable.
  bool spills = true;                // Memory above the budget moves to disk.
  bool answers_at_once = true;       // False: any call may fail first and is tried again.
};
inline void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }

Path P(std::vector<std::string> parts);

class StoreContract : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override;
  static void TearDownTestSuite();
  void Open(const WorldOptions& options);

  Store& store() { return world_->store(); }
  ManualClock& clock() { return world_->clock(); }

  // The value of `call`, tried again while a fault with Effect::kNone is injected into it.
  template <typename Call>
  auto Try(Call call) -> decltype(call()) {
    for (int i = 0; !GetParam().answers_at_once && i < 100; ++i) {
      auto result = call();
      if (result.ok() || result.error().message != "injected") return result;
    }
    return call();
  }
  template <typename Call>
  auto Must(Call call) {
    auto result = Try(call);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return std::move(result).value();
  }

  std::unique_ptr<FlightWriter> Writer(WriterOptions options = {});
  std::unique_ptr<FlightWriter> Writer(Tier tier, uint32_t partitions = 1);
  void Write(FlightWriter& writer, Batch batch, uint32_t partition = 0);
  // Commits under one sink; the record.
  RecordPtr Commit(FlightWriter& writer, Sink sink, Provenance from = {});
  Result<std::vector<Result<RecordPtr>>> CommitAll(FlightWriter& writer,
                                                   std::vector<CommitTarget> targets);
  // A flight of rows first, …, first + rows - 1 under `path`.
  RecordPtr Keep(const Path& path, int64_t first, int64_t rows, Tier tier = Tier::kDisk);
  RecordPtr Keep(Sink sink, int64_t first, int64_t rows);
  // Every number of a partition, read to the end.
  std::vector<int64_t> Read(Flight& flight, uint32_t partition = 0);
  std::vector<int64_t> ReadPath(const Path& path);
  // The error at which reading ends.
  Error ReadError(Flight& flight, uint32_t partition = 0);

  std::unique_ptr<World> world_;

 private:
  static std::map<std::string, std::string>& DeviationsSeen();
};

// first, first + 1, …
std::vector<int64_t> Range(int64_t first, int64_t rows);
Sink To(const Path& path, Tier tier = Tier::kDisk);

}  // namespace sheaf::store::contract
