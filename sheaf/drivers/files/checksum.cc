#include "sheaf/drivers/files/checksum.h"

#include <xxhash.h>

#include "sheaf/base/core/check.h"

namespace sheaf::files {

uint64_t Checksum(const void* data, size_t size) { return XXH3_64bits(data, size); }

uint64_t Checksum(std::span<const Piece> pieces) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  SHEAF_CHECK(state != nullptr);
  SHEAF_CHECK(XXH3_64bits_reset(state.get()) == XXH_OK);
  for (const Piece& piece : pieces) {
    if (piece.size > 0) {
      SHEAF_CHECK(XXH3_64bits_update(state.get(), piece.data, piece.size) == XXH_OK);
    }
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace sheaf::files
