#include "sheaf/drivers/flight/codec.h"

#include <arrow/memory_pool.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace sheaf::flight {
namespace {

constexpr uint32_t kDescriptor = 1, kHeader = 2, kAppMetadata = 3, kBody = 1000;
constexpr uint32_t kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;
constexpr int64_t kAlignment = 8;
// Fields below this size are copied: a reference would keep a whole network buffer alive.
constexpr int64_t kReferenceBytesMin = 64;

void PutVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void PutField(std::string& out, uint32_t field, int64_t size) {
  PutVarint(out, (field << 3) | kLengthDelimited);
  PutVarint(out, static_cast<uint64_t>(size));
}

::grpc::Slice SliceOf(std::shared_ptr<arrow::Buffer> buffer) {
  auto* held = new std::shared_ptr<arrow::Buffer>(std::move(buffer));
  auto release = [](void* p) { delete static_cast<std::shared_ptr<arrow::Buffer>*>(p); };
  return ::grpc::Slice(const_cast<uint8_t*>((*held)->data()), static_cast<size_t>((*held)->size()),
                       release, held);
}

// An Arrow buffer over a part of a slice.
class SliceBuffer final : public arrow::Buffer {
 public:
  SliceBuffer(::grpc::Slice slice, const uint8_t* data, int64_t size)
      : arrow::Buffer(data, size), slice_(std::move(slice)) {}

 private:
  const ::grpc::Slice slice_;
};

// Reads a list of slices from front to back, never beyond its end, and lets go what is read.
class Cursor {
 public:
  explicit Cursor(std::vector<::grpc::Slice> slices) : slices_(std::move(slices)) {
    for (const auto& slice : slices_) left_ += static_cast<int64_t>(slice.size());
    SkipEmpty();
  }

  bool AtEnd() const { return left_ == 0; }

  bool Varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (left_ == 0) return false;
      const uint8_t byte = *Here();
      Advance(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool Skip(uint64_t size) {
    if (size > static_cast<uint64_t>(left_)) return false;
    for (auto rest = static_cast<int64_t>(size); rest > 0;) {
      const int64_t step = std::min(rest, InSlice());
      Advance(step);
      rest -= step;
    }
    return true;
  }

  Result<std::shared_ptr<arrow::Buffer>> Take(uint64_t size) {
    if (size > static_cast<uint64_t>(left_)) {
      return Fail(Kind::kInvalid, "a FlightData field is longer than its message");
    }
    const auto wanted = static_cast<int64_t>(size);
    if (wanted == 0) return std::shared_ptr<arrow::Buffer>();
    const bool aligned = reinterpret_cast<uintptr_t>(Here()) % kAlignment == 0;
    if (wanted >= kReferenceBytesMin && wanted <= InSlice() && aligned) {
      auto buffer = std::make_shared<SliceBuffer>(slices_[index_], Here(), wanted);
      Advance(wanted);
      return buffer;
    }
    return Gather(wanted);
  }

 private:
  const uint8_t* Here() const { return slices_[index_].begin() + offset_; }
  int64_t InSlice() const { return static_cast<int64_t>(slices_[index_].size()) - offset_; }

  // `step` is at most what is left in this slice.
  void Advance(int64_t step) {
    offset_ += step;
    left_ -= step;
    SkipEmpty();
  }
  void SkipEmpty() {
    while (index_ < slices_.size() && InSlice() == 0) {
      slices_[index_++] = ::grpc::Slice();
      offset_ = 0;
    }
  }

  Result<std::shared_ptr<arrow::Buffer>> Gather(int64_t size) {
    auto allocated = arrow::AllocateBuffer(size, arrow::system_memory_pool());  // See DecodePool.
    if (!allocated.ok()) return Fail(Kind::kExhausted, allocated.status().message());
    std::shared_ptr<arrow::Buffer> buffer = std::move(*allocated);
    for (uint8_t* to = buffer->mutable_data(); size > 0;) {
      const int64_t step = std::min(size, InSlice());
      std::memcpy(to, Here(), static_cast<size_t>(step));
      Advance(step);
      to += step;
      size -= step;
    }
    return buffer;
  }

  std::vector<::grpc::Slice> slices_;
  size_t index_ = 0;
  int64_t offset_ = 0;
  int64_t left_ = 0;
};

Status ReadField(Cursor& cursor, uint64_t field, FlightData& data) {
  const Error twice = Fail(Kind::kInvalid, "a FlightData message holds a field twice");
  uint64_t size = 0;
  if (!cursor.Varint(size)) return Fail(Kind::kInvalid, "a FlightData message is cut short");
  std::shared_ptr<arrow::Buffer>* into = nullptr;
  switch (field) {
    case kDescriptor: {
      if (data.descriptor.has_value()) return twice;
      SHEAF_ASSIGN(const auto bytes, cursor.Take(size));
      data.descriptor = TextOf(bytes);
      return Done();
    }
    case kHeader: into = &data.header; break;
    case kAppMetadata: into = &data.app_metadata; break;
    case kBody: into = &data.body; break;
    default:
      if (cursor.Skip(size)) return Done();
      return Fail(Kind::kInvalid, "a FlightData message is cut short");
  }
  if (*into != nullptr) return twice;
  SHEAF_ASSIGN(*into, cursor.Take(size));
  return Done();
}

}  // namespace

std::string TextOf(const std::shared_ptr<arrow::Buffer>& buffer) {
  return buffer == nullptr ? std::string() : buffer->ToString();
}

Result<::grpc::ByteBuffer> Encode(const arrow::ipc::IpcPayload& payload,
                                  std::string_view app_metadata) {
  const bool has_body = arrow::ipc::Message::HasBody(payload.type);
  const int64_t header_bytes = payload.metadata == nullptr ? 0 : payload.metadata->size();
  const auto app_bytes = static_cast<int64_t>(app_metadata.size());
  constexpr int64_t kFraming = 64;  // Tags and lengths.
  const int64_t total = kFraming + header_bytes + app_bytes + (has_body ? payload.body_length : 0);
  if (total > kFlightDataBytesMax) {
    return Fail(Kind::kInternal, "a message of " + std::to_string(total) +
                                     " bytes was to be sent; Flight's limit is 2 GiB");
  }
  std::string head;
  head.reserve(static_cast<size_t>(kFraming + header_bytes + app_bytes));
  if (header_bytes > 0) {
    PutField(head, kHeader, header_bytes);
    head.append(reinterpret_cast<const char*>(payload.metadata->data()),
                static_cast<size_t>(header_bytes));
  }
  if (app_bytes > 0) {
    PutField(head, kAppMetadata, app_bytes);
    head.append(app_metadata);
  }
  if (has_body) PutField(head, kBody, payload.body_length);
  std::vector<::grpc::Slice> slices;
  slices.reserve(1 + 2 * payload.body_buffers.size());
  slices.emplace_back(head);
  if (!has_body) return ::grpc::ByteBuffer(slices.data(), slices.size());

  static constexpr std::array<uint8_t, kAlignment> kPadding{};
  int64_t written = 0;
  for (const auto& buffer : payload.body_buffers) {
    if (buffer == nullptr || buffer->size() == 0) continue;
    const int64_t padding = (kAlignment - buffer->size() % kAlignment) % kAlignment;
    written += buffer->size() + padding;
    slices.push_back(SliceOf(buffer));
    if (padding > 0) {
      slices.emplace_back(kPadding.data(), static_cast<size_t>(padding),
                          ::grpc::Slice::STATIC_SLICE);
    }
  }
  SHEAF_CHECK(written == payload.body_length);
  return ::grpc::ByteBuffer(slices.data(), slices.size());
}

Result<FlightData> Decode(::grpc::ByteBuffer&& bytes) {
  std::vector<::grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok()) return Fail(Kind::kInvalid, "a FlightData message is unreadable");
  bytes.Clear();  // The list alone holds them now.
  Cursor cursor(std::move(slices));
  FlightData data;
  while (!cursor.AtEnd()) {
    uint64_t tag = 0;
    uint64_t ignored = 0;
    bool good = cursor.Varint(tag) && (tag >> 3) != 0;
    if (good && (tag & 7) == kLengthDelimited) {
      SHEAF_TRY(ReadField(cursor, tag >> 3, data));
      continue;
    }
    switch (tag & 7) {
      case kVarint: good = good && cursor.Varint(ignored); break;
      case kFixed64: good = good && cursor.Skip(8); break;
      case kFixed32: good = good && cursor.Skip(4); break;
      default: good = false;
    }
    if (!good) return Fail(Kind::kInvalid, "a FlightData message is malformed");
  }
  return data;
}

}  // namespace sheaf::flight
