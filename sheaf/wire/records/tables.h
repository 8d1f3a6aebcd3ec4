// Every table of the contract, in its order; the test compares each element with the contract's.
#pragma once

#include "sheaf/wire/records/state_tables.h"
#include "sheaf/wire/records/work_tables.h"

namespace sheaf::records {

inline constexpr std::array<const Table*, 16> kTables = {
    &kJobHistory,   &kResHistory, &kSvcHistory,     &kOrckpt,   &kProcesses, &kJobs,
    &kReservations, &kSmreg,      &kSmmeta,         &kRmnodes,  &kRmshares,  &kRmload,
    &kDuccworks,    &kOrprops,    &kDaemonLifetime, &kUserLogin};

// Null when there is no such table. Names compare with case.
constexpr const Table* FindTable(std::string_view name) {
  for (const Table* table : kTables) {
    if (table->name == name) return table;
  }
  return nullptr;
}

}  // namespace sheaf::records
