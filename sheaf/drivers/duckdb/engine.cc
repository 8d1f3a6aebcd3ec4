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

std::pair<std::unique_ptr<Instance>, bool> Engine::TakeSpare() {
  MutexLock lock(mutex_);
  ++waiting_;
  while (spares_.empty() && opening_ >= waiting_) opened_.Wait(mutex_);
  --waiting_;
  if (spares_.empty()) return {nullptr, false};
  auto spare = std::move(spares_.back());
  spares_.pop_back();
  return {std::move(spare), !spares_.empty()};
}

Result<std::unique_ptr<Instance>> Engine::Take() {
  auto [spare, more] = TakeSpare();
  if (!more && options_.on_empty) options_.on_empty();
  if (spare != nullptr) return std::move(spare);
  return OpenInstance(options_.threads);
}

void Engine::Return(std::unique_ptr<Instance> instance) {
  MutexLock lock(mutex_);
  if (spares_.size() < options_.spares_max) spares_.push_back(std::move(instance));
  opened_.NotifyAll();
}

bool Engine::Refill() {
  {
    MutexLock lock(mutex_);
    if (!spares_.empty() || opening_ > 0 || options_.spares_max == 0) return false;
    ++opening_;
  }
  auto instance = OpenInstance(options_.threads);
  MutexLock lock(mutex_);
  --opening_;
  opened_.NotifyAll();
  if (!instance.ok()) return false;  // The next Take will say why.
  spares_.push_back(std::move(instance).value());
  return true;
}

size_t Engine::spares() const {
  MutexLock lock(mutex_);
  return spares_.size();
}

}  // namespace sheaf::duckdb
