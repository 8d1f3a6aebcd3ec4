#include "sheaf/services/files/ipc_footer.h"

#include <arrow/buffer.h>

#include <cstring>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/reader.h"

namespace sheaf::files {
namespace {

constexpr int64_t kTailBytes = 10;  // Length of the footer, magic.
constexpr int64_t kFooterMax = 64 << 20;
constexpr size_t kBlockBytes = 24;
// Slots of the tables Footer and Message in Arrow's flatbuffers.
constexpr uint32_t kSlotRecordBatches = 3;
constexpr uint32_t kSlotBodyLength = 3;

// A number of a flatbuffer (little-endian, as every machine we run on), within bounds or not at
// all.
template <typename T>
std::optional<T> At(std::string_view bytes, uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Where field `slot` of the root table is; 0 when it is absent, nothing when malformed.
std::optional<uint64_t> FieldOfRoot(std::string_view bytes, uint32_t slot) {
  const auto root = At<uint32_t>(bytes, 0);
  if (!root.has_value()) return std::nullopt;
  const auto back = At<int32_t>(bytes, *root);
  if (!back.has_value()) return std::nullopt;
  const int64_t table = int64_t{*root} - *back;
  if (table < 0) return std::nullopt;
  const auto size = At<uint16_t>(bytes, static_cast<uint64_t>(table));
  if (!size.has_value()) return std::nullopt;
  const uint32_t entry = 4 + 2 * slot;
  if (entry + 2 > *size) return 0;
  const auto offset = At<uint16_t>(bytes, static_cast<uint64_t>(table) + entry);
  if (!offset.has_value()) return std::nullopt;
  return *offset == 0 ? 0 : uint64_t{*root} + *offset;
}

}  // namespace

std::optional<std::vector<IpcBlock>> BlocksOfFooter(std::string_view footer) {
  const auto field = FieldOfRoot(footer, kSlotRecordBatches);
  if (!field.has_value()) return std::nullopt;
  std::vector<IpcBlock> blocks;
  if (*field == 0) return blocks;
  const auto distance = At<uint32_t>(footer, *field);
  if (!distance.has_value()) return std::nullopt;
  const uint64_t list = *field + *distance;
  const auto count = At<uint32_t>(footer, list);
  if (!count.has_value() || uint64_t{*count} * kBlockBytes > footer.size()) return std::nullopt;
  for (uint32_t n = 0; n < *count; ++n) {
    const uint64_t at = list + 4 + n * kBlockBytes;
    const auto offset = At<int64_t>(footer, at);
    const auto metadata = At<int32_t>(footer, at + 8);
    const auto body = At<int64_t>(footer, at + 16);
    if (!offset.has_value() || !metadata.has_value() || !body.has_value()) return std::nullopt;
    blocks.push_back({*offset, *metadata, *body});
  }
  return blocks;
}

std::optional<int64_t> BodyOfMessage(std::string_view metadata) {
  // A continuation mark and a length, or, before Arrow 0.15, the length alone.
  const auto mark = At<uint32_t>(metadata, 0);
  const size_t head = mark == 0xffffffff ? 8 : 4;
  if (!mark.has_value() || metadata.size() < head) return std::nullopt;
  const std::string_view message = metadata.substr(head);
  const auto field = FieldOfRoot(message, kSlotBodyLength);
  if (!field.has_value()) return std::nullopt;
  return *field == 0 ? 0 : At<int64_t>(message, *field);
}

Result<std::vector<IpcBlock>> ReadIpcBlocks(SourceFile& file, const std::string& name) {
  const int64_t size = file.size();
  auto tail = file.ReadAt(size - kTailBytes, kTailBytes, false);
  if (!tail.ok()) return ReadError(tail.status(), file, name, "its end");
  const int64_t length = At<int32_t>(std::string_view(**tail), 0).value_or(-1);
  if (length <= 0 || length > size - kTailBytes) {
    return Damaged(name, "its end", "a footer length that cannot be");
  }
  if (length > kFooterMax) {
    return Fail(Kind::kExhausted, "'" + name + "' has a footer of " + core::ToText(Bytes{length}) +
                                      "; the limit is " + core::ToText(Bytes{kFooterMax}));
  }
  auto footer = file.ReadAt(size - kTailBytes - length, length, false);
  if (!footer.ok()) return ReadError(footer.status(), file, name, "the footer");
  auto blocks = BlocksOfFooter(std::string_view(**footer));
  if (!blocks.has_value()) return Damaged(name, "the footer", "it is malformed");
  for (size_t n = 0; n < blocks->size(); ++n) {
    const IpcBlock& block = (*blocks)[n];
    const bool inside = block.offset >= 0 && block.metadata_bytes >= 4 && block.body_bytes >= 0 &&
                        block.offset <= size && block.metadata_bytes <= size - block.offset &&
                        block.body_bytes <= size - block.offset - block.metadata_bytes;
    if (!inside) {
      return Damaged(name, "the footer", "batch " + std::to_string(n) + " is not in the file");
    }
  }
  return std::move(*blocks);
}

Status CheckIpcMessage(SourceFile& file, const IpcBlock& block, const std::string& name,
                       const std::string& where) {
  auto metadata = file.ReadAt(block.offset, block.metadata_bytes, false);
  if (!metadata.ok()) return ReadError(metadata.status(), file, name, where);
  const auto body = BodyOfMessage(std::string_view(**metadata));
  const int64_t room = file.size() - block.offset - block.metadata_bytes;
  if (!body.has_value() || *body < 0 || *body > room) {
    return Damaged(name, where, "its message claims a body that is not in the file");
  }
  return Done();
}

}  // namespace sheaf::files
