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
  auto engine = std::unique_ptr<Engine>(new Engine(std::move(options)));
  SHEAF_ASSIGN(auto first, OpenInstance(engine->options().threads));
  MutexLock lock(engine->mutex_);
  if (engine->options().spares_max > 0) engine->spares_.push_back(std::move(first));
  return engine;
}

Engine::Engine(EngineOptions options) : options_(std::move(options)) {}

Engine::~Engine() = default;

std::unique_ptr<Instance> Engine::TakeSpare() {
  MutexLock lock(mutex_);
  ++waiting_;
  while (spares_.empty() && opening_ >= waiting_) opened_.Wait(mutex_);
  --waiting_;
  if (spares_.empty()) return nullptr;
  auto spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

Result<std::unique_ptr<Instance>> Engine::Take() {
  auto spare = TakeSpare();
  if (options_.on_take) options_.on_take();
  if (spare != nullptr) return spare;
  return OpenInstance(options_.threads);
}

bool Engine::Refill() {
  bool opened = false;
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (spares_.size() + opening_ >= options_.spares_max) return opened;
      ++opening_;
    }
    auto instance = OpenInstance(options_.threads);
    MutexLock lock(mutex_);
    --opening_;
    opened_.NotifyAll();
    if (!instance.ok()) return opened;  // The next Take will say why.
    opened = true;
    spares_.push_back(std::move(instance).value());
  }
}

size_t Engine::spares() const {
  MutexLock lock(mutex_);
  return spares_.size();
}

}  // namespace sheaf::duckdb
