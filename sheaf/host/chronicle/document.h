// Entries as documents: of history, and of the checkpoint.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/host/chronicle/entry.h"
#include "sheaf/ports/persistence/work.h"

namespace sheaf::chronicle {

// "priority-5"
std::string ClassOf(const Entry& entry);

// What history keeps of it: a job; work items are partitions, its process is the server's own (no
// process when it never ran).
persistence::Work WorkOf(const Entry& entry, const Ending& ending, const Place& place);

// The node of a job that WorkOf made; empty of others.
std::string NodeOf(const persistence::Work& work);

// The text of a live item, format 1: {"format", "task", "command", "principal", "priority",
// "submitted", "started"?, "sinks": [{"command", "principal"}], "restarts"}; times in microseconds.
std::string EncodeEntry(const Entry& entry);
// kCorrupt when malformed, kUnsupported for a format of later programs; kInvalid when a command is
// not one that this program takes.
Result<Entry> DecodeEntry(int64_t number, std::string_view text);

}  // namespace sheaf::chronicle
