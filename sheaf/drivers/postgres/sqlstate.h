// What a failure of PostgreSQL means: decided by its five-character code and what was going on.
#pragma once

#include <cstdint>
#include <string_view>

#include "sheaf/base/core/error.h"

namespace sheaf::postgres {

enum class Phase : uint8_t {
  kConnecting,
  kInTransaction,  // A lost connection undoes all there was.
  kCommitting,     // Also a statement on its own, which commits itself.
};

struct Meaning {
  Kind kind;
  Effect effect;
  bool operator==(const Meaning&) const = default;
};

// `sqlstate` is empty when there was no answer: the connection was lost, or nobody waited longer.
// A code that is not known means what its class does; a class that is not known is kInternal.
Meaning MeaningOf(std::string_view sqlstate, Phase phase);

// Whether connecting may succeed a moment later: nobody listens, the server starts or is full.
bool MayComeBack(std::string_view sqlstate);

// Whether the same transaction may succeed when it is run again at once: it met another one.
bool MetAnother(std::string_view sqlstate);

}  // namespace sheaf::postgres
