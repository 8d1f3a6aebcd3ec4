// What the C library's allocator must be told before gRPC receives large messages.
#pragma once

namespace sheaf::grpc {

// Keeps freed memory of received slices in the process. Without it glibc returns each large block
// to the system and faults it in again: uploads are then two to three times slower. Called once,
// by main, before threads start; does nothing with another C library.
void TuneAllocator();

}  // namespace sheaf::grpc
