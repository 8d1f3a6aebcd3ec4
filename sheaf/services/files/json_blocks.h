// Newline-delimited JSON cut into blocks of whole objects, within limits that a parser needs.
#pragma once

#include <arrow/buffer.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/services/files/text_source.h"

namespace sheaf::files {

inline constexpr int kJsonDepthMax = 64;
inline constexpr size_t kJsonColumnsMax = 10'000;  // Nested fields counted too.
// Objects times columns in one block: what is absent takes room in the result all the same.
inline constexpr int64_t kJsonCellsMax = 8'000'000;

struct JsonBlock {
  std::shared_ptr<arrow::Buffer> text;  // nullptr at the end. Shared: a slice of what was read.
  std::vector<uint32_t> starts;         // Of each top-level object in it.
  int64_t line = 1;                     // Of its first byte.

  // The line of object number `row`.
  int64_t LineOf(int64_t row) const;
};

// Owner: one reader. Threads: one at a time. Blocking: waits for the disk.
// Errors: kFailed (text that is no sequence of objects, with its line), kExhausted.
class JsonBlocks {
 public:
  JsonBlocks(TextSource source, std::string name)
      : source_(std::move(source)), name_(std::move(name)) {}

  Result<JsonBlock> Next();
  // Once the schema is known; before that columns are counted by their names.
  void set_columns(int64_t columns) { columns_ = columns; }
  double done() const { return source_.done(); }

 private:
  // How far whole objects reach, and where each begins.
  struct Cut {
    size_t end = 0;
    bool full = false;  // A limit was met: what follows belongs to the next block.
    std::vector<uint32_t> starts;
  };
  Result<Cut> Scan(std::string_view text);
  Error Bad(std::string_view text, size_t at, std::string_view what) const;

  TextSource source_;
  std::string name_;
  std::shared_ptr<arrow::Buffer> rest_;  // Shared: a slice of the last block.
  bool rest_is_whole_ = false;           // It may hold whole objects: scan before reading on.
  int64_t columns_ = 0;
  int64_t line_ = 1;  // Of rest_'s first byte.
};

}  // namespace sheaf::files
