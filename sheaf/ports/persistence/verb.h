// Every call of the port by name: what decorators count, spoil and repeat.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sheaf::persistence {

enum class Verb : uint8_t {
  kAcquire,
  kHolder,
  kRelease,
  kSave,
  kGet,
  kNewest,
  kJobs,
  kProcesses,
  kReservations,
  kRestore,
  kCheckpoint,
  kChange,
  kFinish,
  kStore,
  kUpdateSubmitted,
  kUpdateState,
  kArchive,
  kRegistration,
  kLive,
  kArchived,
  kBegin,
  kPutNodes,
  kAddShare,
  kUpdateShare,
  kMarkShare,
  kRemoveShare,
  kSetLoad,
  kRead,
  kMachine,
};
inline constexpr std::array<std::string_view, 29> kVerbNames = {
    "acquire",      "holder",    "release",      "save",         "get",
    "newest",       "jobs",      "processes",    "reservations", "restore",
    "checkpoint",   "change",    "finish",       "store",        "update_submitted",
    "update_state", "archive",   "registration", "live",         "archived",
    "begin",        "put_nodes", "add_share",    "update_share", "mark_share",
    "remove_share", "set_load",  "read",         "machine"};
static_assert(kVerbNames.size() == static_cast<size_t>(Verb::kMachine) + 1);
constexpr std::string_view VerbName(Verb verb) { return kVerbNames[static_cast<size_t>(verb)]; }

}  // namespace sheaf::persistence
