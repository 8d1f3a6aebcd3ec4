#include "sheaf/adapters/store/trailer.h"

#include <bit>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "sheaf/drivers/files/checksum.h"

namespace sheaf::store {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kHead = "SHEAFIDX";
constexpr std::string_view kFoot = "SHEAFEND";
constexpr uint32_t kVersion = 1;
constexpr uint64_t kHeadBytes = 32;
constexpr uint64_t kEntryBytes = 40;
constexpr std::string_view kSuffix = ".arrows";

template <typename T>
void Put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Takes numbers off the front; the caller has checked that they are there.
template <typename T>
T Take(std::string_view& from) {
  T value;
  std::memcpy(&value, from.data(), sizeof(value));
  from.remove_prefix(sizeof(value));
  return value;
}

Error Bad(std::string_view what) {
  return Fail(Kind::kCorrupt, "the index of blocks " + std::string(what));
}

}  // namespace

std::string FileName::Text() const {
  char text[64];
  const int size =
      std::snprintf(text, sizeof(text), "%016" PRIx64 "-%" PRIu32, generation, partition);
  return std::string(text, static_cast<size_t>(size)) + std::string(kSuffix);
}

std::optional<FileName> FileName::Parse(std::string_view text) {
  if (!text.ends_with(kSuffix)) return std::nullopt;
  const std::string_view stem = text.substr(0, text.size() - kSuffix.size());
  FileName name;
  const char* end = stem.data() + stem.size();
  const auto first = std::from_chars(stem.data(), end, name.generation, 16);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, name.partition, 10);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  if (name.Text() != text) return std::nullopt;
  return name;
}

std::string EncodeTrailer(const Trailer& trailer) {
  std::string out(kHead);
  Put<uint32_t>(out, kVersion);
  Put<uint32_t>(out, trailer.name.partition);
  Put<uint64_t>(out, trailer.name.generation);
  Put<uint64_t>(out, trailer.blocks.size());
  for (const Block& block : trailer.blocks) {
    Put<uint32_t>(out, static_cast<uint32_t>(block.kind));
    Put<uint32_t>(out, block.metadata_bytes);
    Put<uint64_t>(out, block.offset);
    Put<uint64_t>(out, block.body_bytes);
    Put<int64_t>(out, block.rows);
    Put<uint64_t>(out, block.checksum);
  }
  Put<uint64_t>(out, out.size() + kTrailerFooterBytes);
  Put<uint64_t>(out, files::Checksum(out.data(), out.size()));
  out += kFoot;
  return out;
}

Result<uint64_t> TrailerBytes(std::string_view footer, uint64_t file_bytes) {
  if (footer.size() != kTrailerFooterBytes || !footer.ends_with(kFoot)) return Bad("is missing");
  const auto bytes = Take<uint64_t>(footer);
  if (bytes < kHeadBytes + kTrailerFooterBytes || bytes > file_bytes ||
      (bytes - kHeadBytes - kTrailerFooterBytes) % kEntryBytes != 0) {
    return Bad("has an impossible length");
  }
  return bytes;
}

Result<Trailer> ParseTrailer(std::string_view bytes, uint64_t file_bytes) {
  const uint64_t size = bytes.size();
  if (size < kHeadBytes + kTrailerFooterBytes || size + kStreamEndBytes > file_bytes ||
      (size - kHeadBytes - kTrailerFooterBytes) % kEntryBytes != 0) {
    return Bad("has an impossible length");
  }
  std::string_view footer = bytes.substr(size - kTrailerFooterBytes);
  if (Take<uint64_t>(footer) != size || !footer.ends_with(kFoot)) return Bad("has no end");
  if (Take<uint64_t>(footer) != files::Checksum(bytes.data(), size - 16)) {
    return Bad("fails its checksum");
  }
  if (!bytes.starts_with(kHead)) return Bad("has no beginning");
  std::string_view rest = bytes.substr(kHead.size());
  if (const auto version = Take<uint32_t>(rest); version != kVersion) {
    return Bad("is of version " + std::to_string(version) + ", this program reads " +
               std::to_string(kVersion));
  }
  Trailer trailer;
  trailer.name.partition = Take<uint32_t>(rest);
  trailer.name.generation = Take<uint64_t>(rest);
  const auto count = Take<uint64_t>(rest);
  if (count != (size - kHeadBytes - kTrailerFooterBytes) / kEntryBytes) {
    return Bad("has an impossible count");
  }
  const uint64_t stream_end = file_bytes - size - kStreamEndBytes;
  uint64_t at = 0;
  trailer.blocks.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    Block block;
    const auto kind = Take<uint32_t>(rest);
    block.kind = static_cast<Block::Kind>(kind);
    block.metadata_bytes = Take<uint32_t>(rest);
    block.offset = Take<uint64_t>(rest);
    block.body_bytes = Take<uint64_t>(rest);
    block.rows = Take<int64_t>(rest);
    block.checksum = Take<uint64_t>(rest);
    const bool first = i == 0;
    const uint64_t left = stream_end - at;
    if (kind < 1 || kind > 3 || first != (block.kind == Block::Kind::kSchema) ||
        block.offset != at || block.rows < 0 || left < 8 || block.metadata_bytes > left - 8 ||
        block.body_bytes > left - 8 - block.metadata_bytes) {
      return Bad("names an impossible block " + std::to_string(i));
    }
    at = block.end();
    trailer.blocks.push_back(block);
  }
  if (count == 0 || at != stream_end) return Bad("does not reach the stream's end");
  return trailer;
}

}  // namespace sheaf::store
