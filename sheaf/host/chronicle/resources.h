// This node, its worker slots and its work, as the resource tables show them. Pure.
#pragma once

#include <string>

#include "sheaf/host/chronicle/book.h"
#include "sheaf/ports/persistence/resource_state.h"

namespace sheaf::chronicle {

struct NodeFacts {
  std::string name;
  std::string address;  // Where others reach it.
  int32_t memory_gib = 0;
  int32_t slots = 1;  // Trees of tasks that run at once.
};
enum class Presence : uint8_t { kOnline, kGone };

// The node; a share for each outermost run that executes, a load for each that runs or waits. Only
// runs of some age count, so that a thousand short ones a second cost no thousand writes.
persistence::Resources ResourcesOf(const NodeFacts& facts, Presence presence, const Book& book,
                                   Instant now);

}  // namespace sheaf::chronicle
