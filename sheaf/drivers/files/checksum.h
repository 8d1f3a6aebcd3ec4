// XXH3, 64 bits: finds damage, not malice.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sheaf/drivers/files/file_system.h"

namespace sheaf::files {

uint64_t Checksum(const void* data, size_t size);
// The same number for the same bytes in pieces.
uint64_t Checksum(std::span<const Piece> pieces);

}  // namespace sheaf::files
