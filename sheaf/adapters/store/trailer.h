// What stands behind the stream in a flight's file: where its blocks are and what they sum to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/result.h"

namespace sheaf::store {

// One encapsulated IPC message of the file. A value.
struct Block {
  enum class Kind : uint8_t { kSchema = 1, kDictionary = 2, kBatch = 3 };
  Kind kind = Kind::kSchema;
  uint32_t metadata_bytes = 0;  // With padding, without the prefix of 8 bytes.
  uint64_t offset = 0;          // Of the prefix.
  uint64_t body_bytes = 0;
  int64_t rows = 0;
  uint64_t checksum = 0;  // XXH3 of prefix, metadata and body.
  bool operator==(const Block&) const = default;

  uint64_t bytes() const { return 8 + metadata_bytes + body_bytes; }
  uint64_t end() const { return offset + bytes(); }
};

// The last component of a flight file's path says whose it is. A value.
struct FileName {
  uint64_t generation = 0;
  uint32_t partition = 0;
  bool operator==(const FileName&) const = default;

  std::string Text() const;  // "0000000000000401-0.arrows"
  static std::optional<FileName> Parse(std::string_view text);
};

struct Trailer {
  FileName name;
  std::vector<Block> blocks;
  bool operator==(const Trailer&) const = default;
};

inline constexpr uint64_t kTrailerFooterBytes = 24;
inline constexpr uint64_t kStreamEndBytes = 8;  // Arrow's end of stream, before the trailer.

std::string EncodeTrailer(const Trailer& trailer);
// Bytes of the whole trailer, from the last kTrailerFooterBytes of the file; kCorrupt when they
// are none or more than `file_bytes`.
Result<uint64_t> TrailerBytes(std::string_view footer, uint64_t file_bytes);
// `bytes` is the whole trailer of a file of `file_bytes`; kCorrupt unless the blocks it names lie
// one behind another from the file's beginning to the stream's end.
Result<Trailer> ParseTrailer(std::string_view bytes, uint64_t file_bytes);

}  // namespace sheaf::store
