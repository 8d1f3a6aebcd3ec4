// What the C library's allocator must be told before gRPC receives large messages.
#pragma once

#include "sheaf/base/core/bytes.h"

namespace sheaf::grpc {

// Keeps freed memory of received slices in the process. Without it glibc returns each large block
// to the system and faults it in again: uploads are then two to three times slower. Called once,
// by main, before threads start; does nothing with another C library.
void TuneAllocator();

// Gives freed memory back to the system when the process holds `slack` more than the `charged`
// bytes of its ledger. Cheap when it does not; called each second by main's maintenance.
// Blocking: walks the allocator's arenas, some milliseconds.
void ReturnFreeMemory(Bytes charged, Bytes slack);

}  // namespace sheaf::grpc
