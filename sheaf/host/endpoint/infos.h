// FlightInfo and tickets: what was found or started, in Flight's words, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sheaf/host/endpoint/core.h"
#include "sheaf/ports/cluster/cluster.h"

namespace sheaf::endpoint {

// The info of an answered submission. Errors: none but of serialization.
Result<flight::Info> InfoOf(Core& core, const flights::Context& context,
                            const tasks::Submission& submission, flight::Descriptor descriptor);
// The info of a path from the catalog's view; kNotFound when it is not there.
Result<flight::Info> InfoOfPath(Core& core, const flights::Context& context, const Path& path,
                                flight::Descriptor descriptor);
Result<flight::Info> InfoOfEntry(Core& core, const flights::Context& context, const Path& path,
                                 const cluster::CatalogEntry& entry,
                                 flight::Descriptor descriptor);

// A descriptor as a request: a path, a command, a task or a sink. kUnsupported for Flight SQL.
Result<command::Request> ParseDescriptor(Core& core, const flight::Descriptor& descriptor);
Result<command::Request> ParseCommandBytes(std::string_view bytes);

// What an opaque ticket stands for.
struct Ticketed {
  tasks::Submission submission;
  uint32_t partition = 0;
};
// kInvalidTicket, kMisplaced with locations, kForbidden, kResultGone.
Result<Ticketed> OpenTicket(Core& core, const flights::Context& context, std::string_view bytes);

}  // namespace sheaf::endpoint
