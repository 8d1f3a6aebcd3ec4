// What is live, its changes, and what a restore finds. Pure data and its encoding.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sheaf/base/core/result.h"

namespace sheaf::persistence {

// Live items by id, each a UTF-8 text its owner understands, and which process works for which.
struct LiveWork {
  std::map<int64_t, std::string> items;
  std::map<std::string, int64_t> process_to_job;
  bool operator==(const LiveWork&) const = default;
};

// What changed. Absolute, so that a change made twice changes nothing the second time.
struct ChangeSet {
  std::vector<std::pair<int64_t, std::string>> put;
  std::vector<int64_t> removed;
  std::vector<std::pair<std::string, int64_t>> linked;
  std::vector<std::string> unlinked;
  bool operator==(const ChangeSet&) const = default;
  bool empty() const {
    return put.empty() && removed.empty() && linked.empty() && unlinked.empty();
  }
};
void ApplyChange(const ChangeSet& change, LiveWork& live);
// `then` after `change`, as one.
void Join(ChangeSet& change, ChangeSet then);

enum class RestoreMode : uint8_t {
  kWarm,  // What was live; kCorrupt when there is something and none of it can be read.
  kCold,  // Nothing: the operator said so. What is there stays until new generations replace it.
};
struct Restored {
  LiveWork live;
  uint64_t generation = 0;             // 0: there was none.
  uint64_t changes = 0;                // Of its chain, applied.
  std::vector<std::string> set_aside;  // What was there and is not part of it, by name.
};

// JSON, format 1. The base is two documents, as upstream's row has two columns:
// {"format":1,"items":{"<id>":"text"}} and {"format":1,"processes":{"<process>":id}}.
struct EncodedBase {
  std::string work;
  std::string process_to_job;
};
// kInvalid when a text is not UTF-8.
Result<EncodedBase> EncodeBase(const LiveWork& live);
// kCorrupt when malformed, kUnsupported for a format of later programs.
Result<LiveWork> DecodeBase(std::string_view work, std::string_view process_to_job);
// {"format":1,"put":{…},"removed":[…],"linked":{…},"unlinked":[…]}
Result<std::string> EncodeChange(const ChangeSet& change);
Result<ChangeSet> DecodeChange(std::string_view text);

}  // namespace sheaf::persistence
