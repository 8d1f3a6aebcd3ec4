#include "sheaf/drivers/duckdb/engine.h"

#include <utility>

#include "sheaf/drivers/duckdb/foreign.h"
#include "sheaf/drivers/duckdb/instance.h"

namespace sheaf::duckdb {
namespace {

Result<std::unique_ptr<Instance>> OpenInstance(int threads) {
  try {
    return std::make_unique<Instance>(threads);
  } catch (const std::exception& thrown) {
    return Fail(Kind::kDependency, "DuckDB does not start: " + FromDuckDb(thrown, {}).message);
  }
}

}  // namespace

Status CheckVersion(std::string_view loaded) {
  if (loaded == Engine::kVersion) return Done();
  return Fail(Kind::kDependency, "DuckDB is " + std::string(loaded) + ", built against " +
                                     std::string(Engine::kVersion));
}

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options) {
  SHEAF_TRY(CheckVersion(ddb::DuckDB::LibraryVersion()));
  auto engine = std::unique_ptr<Engine>(new Engine(options));
  SHEAF_ASSIGN(auto first, OpenInstance(options.threads));
  MutexLock lock(engine->mutex_);
  if (options.spares_max > 0) engine->spares_.push_back(std::move(first));
  return engine;
}

Engine::Engine(EngineOptions options) : options_(options) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Instance>> Engine::Take() {
  {
    MutexLock lock(mutex_);
    if (!spares_.empty()) {
      auto spare = std::move(spares_.back());
      spares_.pop_back();
      return spare;
    }
  }
  return OpenInstance(options_.threads);
}

bool Engine::Refill() {
  bool opened = false;
  while (spares() < options_.spares_max) {
    auto instance = OpenInstance(options_.threads);
    if (!instance.ok()) break;  // The next Take will say why.
    opened = true;
    MutexLock lock(mutex_);
    if (spares_.size() < options_.spares_max) spares_.push_back(std::move(instance).value());
  }
  return opened;
}

size_t Engine::spares() const {
  MutexLock lock(mutex_);
  return spares_.size();
}

}  // namespace sheaf::duckdb
