// Random means replayable: SHEAF_SEED in the environment, or chance.
#pragma once

#include <cstdint>

namespace testkit {

uint64_t SeedFromEnvironmentOr(uint64_t chance);
uint64_t Seed();  // SeedFromEnvironmentOr(std::random_device).
bool Soak();      // SHEAF_SOAK is set: long rounds.

}  // namespace testkit
