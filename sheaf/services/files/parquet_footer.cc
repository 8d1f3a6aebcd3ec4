#include "sheaf/services/files/parquet_footer.h"

#include <arrow/buffer.h>

#include <cstring>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/reader.h"

namespace sheaf::files {
namespace {

// Types of the Thrift compact protocol.
enum ThriftType : uint8_t {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
  kUuid = 13
};

// Walks a message without building it; every read checks what is left.
class ThriftCounter {
 public:
  explicit ThriftCounter(std::string_view message) : rest_(message) {}

  int64_t Count() { return Struct(0) ? structs_ : -1; }

 private:
  bool Skip(uint64_t bytes) {
    if (bytes > rest_.size()) return false;
    rest_.remove_prefix(bytes);
    return true;
  }
  bool Byte(uint8_t& out) {
    if (rest_.empty()) return false;
    out = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }
  bool Varint(uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      uint8_t byte = 0;
      if (!Byte(byte)) return false;
      out |= uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  bool Struct(int depth) {
    if (depth > kThriftDepthMax || ++structs_ > kFooterStructsMax) return false;
    while (true) {
      uint8_t head = 0;
      if (!Byte(head)) return false;
      const uint8_t type = head & 0x0f;
      if (type == kStop) return true;
      uint64_t id = 0;
      if ((head >> 4) == 0 && !Varint(id)) return false;  // A long field number.
      if (type == kTrue || type == kFalse) continue;      // The value is in the type.
      if (!Value(type, depth)) return false;
    }
  }

  bool List(int depth) {
    uint8_t head = 0;
    if (!Byte(head)) return false;
    uint64_t count = head >> 4;
    if (count == 15 && !Varint(count)) return false;
    if (count > rest_.size()) return false;  // Each element takes a byte at least.
    for (; count > 0; --count) {
      if (!Value(head & 0x0f, depth)) return false;
    }
    return true;
  }

  bool Map(int depth) {
    uint64_t count = 0;
    if (!Varint(count)) return false;
    if (count == 0) return true;
    uint8_t types = 0;
    if (count > rest_.size() || !Byte(types)) return false;
    for (; count > 0; --count) {
      if (!Value(types >> 4, depth) || !Value(types & 0x0f, depth)) return false;
    }
    return true;
  }

  bool Value(uint8_t type, int depth) {
    if (depth > kThriftDepthMax) return false;
    uint64_t number = 0;
    switch (type) {
      case kTrue:
      case kFalse:
      case kByte: return Skip(1);
      case kI16:
      case kI32:
      case kI64: return Varint(number);
      case kDouble: return Skip(8);
      case kBinary: return Varint(number) && Skip(number);
      case kList:
      case kSet: return List(depth + 1);
      case kMap: return Map(depth + 1);
      case kStruct: return Struct(depth + 1);
      case kUuid: return Skip(16);
      default: return false;
    }
  }

  std::string_view rest_;
  int64_t structs_ = 0;
};

constexpr int64_t kTailBytes = 8;  // Length of the metadata, magic.

}  // namespace

int64_t CountThriftStructs(std::string_view message) { return ThriftCounter(message).Count(); }

Result<std::shared_ptr<arrow::Buffer>> ReadFooter(SourceFile& file, const std::string& name) {
  const int64_t size = file.size();
  if (size < kTailBytes + 4) {
    return WrongFormat(name, "parquet", "it has only " + std::to_string(size) + " bytes");
  }
  auto read = file.ReadAt(size - kTailBytes, kTailBytes, false);
  if (!read.ok()) return ReadError(read.status(), file, name, "its end");
  const std::string_view tail(**read);
  if (tail.substr(4) == "PARE") {
    return Fail(Kind::kUnsupported, "'" + name + "' is an encrypted Parquet file");
  }
  if (tail.substr(4) != "PAR1") {
    auto head = file.ReadAt(0, 4, false);
    if (!head.ok()) return ReadError(head.status(), file, name, "its start");
    if (std::string_view(**head) == "PAR1") {
      return Damaged(name, "byte " + std::to_string(size),
                     "it was cut short, the footer is not there");
    }
    return WrongFormat(name, "parquet", "it does not end with PAR1");
  }
  uint32_t length = 0;
  std::memcpy(&length, tail.data(), sizeof length);  // Little-endian, as every machine we run on.
  const int64_t room = size - kTailBytes - 4;
  if (length == 0 || length > room) {
    return Damaged(name, "byte " + std::to_string(size - kTailBytes),
                   "the footer claims " + std::to_string(length) + " bytes of metadata where " +
                       std::to_string(room) + " can be");
  }
  if (length > kFooterBytesMax) {
    return Fail(Kind::kExhausted, "'" + name + "' has a footer of " + core::ToText(Bytes{length}) +
                                      "; the limit is " + core::ToText(Bytes{kFooterBytesMax}));
  }
  const int64_t start = size - kTailBytes - length;
  auto footer = file.ReadAt(start, length, false);
  if (!footer.ok()) return ReadError(footer.status(), file, name, "the footer");
  if (CountThriftStructs(std::string_view(**footer)) < 0) {
    return Damaged(name, "byte " + std::to_string(start),
                   "the footer is malformed, or describes more than " +
                       std::to_string(kFooterStructsMax) + " structures");
  }
  return *footer;
}

}  // namespace sheaf::files
