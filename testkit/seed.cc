#include "testkit/seed.h"

#include <cstdlib>
#include <random>

namespace testkit {

uint64_t SeedFromEnvironmentOr(uint64_t chance) {
  const char* text = std::getenv("SHEAF_SEED");
  return text == nullptr ? chance : std::strtoull(text, nullptr, 10);
}

uint64_t Seed() { return SeedFromEnvironmentOr(std::random_device{}()); }

bool Soak() { return std::getenv("SHEAF_SOAK") != nullptr; }

}  // namespace testkit
