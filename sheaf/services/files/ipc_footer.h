// Where the record batches of an Arrow IPC file are, and how large each says it is: looked at
// before Arrow allocates what they ask for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/services/files/source_file.h"

namespace sheaf::files {

struct IpcBlock {
  int64_t offset = 0;
  int32_t metadata_bytes = 0;
  int64_t body_bytes = 0;
};

// The blocks of record batches, of a file whose footer Arrow has verified. kCorrupt when one lies
// outside of the file, kExhausted for a footer above the limit.
Result<std::vector<IpcBlock>> ReadIpcBlocks(SourceFile& file, const std::string& name);

// kCorrupt unless the message at `block` claims a body that is in the file.
Status CheckIpcMessage(SourceFile& file, const IpcBlock& block, const std::string& name,
                       const std::string& where);

// The record batch blocks of a footer; nothing when it is malformed. The length of the body that
// a message claims. Both are pure and check every offset.
std::optional<std::vector<IpcBlock>> BlocksOfFooter(std::string_view footer);
std::optional<int64_t> BodyOfMessage(std::string_view metadata);

}  // namespace sheaf::files
