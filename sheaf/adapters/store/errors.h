// Every failure of the store in one place: kinds and words.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::store::errors {

inline Error NoFlight(const Path& path) {
  return Fail(Kind::kNotFound, "no flight at " + path.Text());
}
inline Error GenerationMoved(const Path& path, uint64_t is, uint64_t wanted) {
  return Fail(Kind::kConflict, path.Text() + " is at generation " + std::to_string(is) +
                                   ", the call named " + std::to_string(wanted));
}
inline Error Gone(uint64_t generation) {
  return Fail(Kind::kResultGone,
              "generation " + std::to_string(generation) + " is no longer kept; run it again");
}
// `what` was found, empty = an earlier read found it. `record` null: an unnamed result.
inline Error Damaged(const FlightRecord* record, uint64_t generation, std::string_view what) {
  const bool upload = record != nullptr && record->from.command.empty();
  std::string text = record == nullptr ? "the result" : "the flight at " + record->path.Text();
  text += " (generation " + std::to_string(generation) + ") is damaged";
  if (!what.empty()) text.append(": ").append(what);
  text += record == nullptr ? "; run its command again"
          : upload          ? "; put it again or drop it"
                            : "; RefreshFlight runs its command again, or drop it";
  return Fail(Kind::kCorrupt, std::move(text));
}
inline Error MemoryFull(Bytes budget) {
  return Fail(Kind::kExhausted, "the store's memory budget of " + core::ToText(budget) +
                                    " is full of flights that may not go");
}
inline Error DiskFull(Bytes budget) {
  return Fail(Kind::kExhausted, "the store's disk budget of " + core::ToText(budget) +
                                    " is full of flights that may not go");
}
inline Error FlightTooLarge(Bytes limit) {
  return Fail(Kind::kExhausted, "the result is larger than its memory limit of " +
                                    core::ToText(limit) + " and may not spill");
}
inline Error NoObjectTier() {
  return Fail(Kind::kUnsupported, "tier object: this node has no object store");
}
inline Error Abandoned() { return Fail(Kind::kCancelled, "the writer ended without a commit"); }

}  // namespace sheaf::store::errors
