// Uploads a reader to another node: committed whole, or nothing.
#pragma once

#include <arrow/record_batch.h>

#include "sheaf/adapters/flights/peer.h"

namespace sheaf::flights {

// Commits explicitly: the server makes the flight visible only after the last message, which
// says how many rows it must have got. A failing reader aborts and its error is returned.
Result<PutReceipt> PutRemote(Peer& peer, const Sink& sink, arrow::RecordBatchReader& reader,
                             const Context& context);

}  // namespace sheaf::flights
