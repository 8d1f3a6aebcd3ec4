// ServiceRegistry: the services that were registered, and their active state.
#pragma once

#include <cstdint>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/ports/persistence/epoch.h"
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {

using Submitted = records::Record<records::kSmreg>;
using ActiveState = records::Record<records::kSmmeta>;

// The id is told apart from its halves: `numeric_id` of either is the back end's affair.
struct Registration {
  int64_t id = 0;
  Submitted submitted;
  ActiveState state;
  bool operator==(const Registration&) const = default;
};

// Where a registration is listed.
enum class Listing : uint8_t { kLive, kArchived };

enum class Access : uint8_t { kReadWrite, kReadOnly, kNone };

// A ServiceRegistry keeps registrations until they are archived, and archived ones for ever.
//
// Owner, threads, blocking, repetition and errors: as WorkHistory. Epochs are of scope `cluster`.
class ServiceRegistry {
 public:
  virtual ~ServiceRegistry() = default;
  // What this caller may do: a registry may be closed to some (see limited_registry.h).
  virtual Access MayDo() const = 0;
  // Both halves or nothing; kConflict when another registration has this id.
  virtual Status Store(const Epoch& epoch, const Registration& registration) = 0;
  // The half becomes exactly this: keys that it lacks are gone. kNotFound when it is not live.
  virtual Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) = 0;
  virtual Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) = 0;
  // From the live directory to the archived one, with these as its last properties.
  virtual Status Archive(const Epoch& epoch, const Registration& last) = 0;
  virtual Result<Registration> Get(int64_t id) = 0;          // Live or archived.
  virtual Result<std::vector<Registration>> Live() = 0;      // By id, ascending.
  virtual Result<std::vector<Registration>> Archived() = 0;  // By id, ascending.
};

}  // namespace sheaf::persistence
