// Any bytes as FlightData messages: framing, then IPC, then validation. The first byte says where
// the input is cut into slices; messages follow, each after two bytes of its length.
#include <cstddef>
#include <cstdint>

#include "sheaf/drivers/flight/batch_codec.h"

namespace {

using namespace sheaf;          // NOLINT(google-build-using-namespace): a fuzzer
using namespace sheaf::flight;  // NOLINT(google-build-using-namespace)

::grpc::ByteBuffer Slices(const uint8_t* data, size_t size, size_t slice_bytes) {
  std::vector<::grpc::Slice> slices;
  for (size_t at = 0; at < size; at += slice_bytes) {
    slices.emplace_back(data + at, std::min(slice_bytes, size - at));
  }
  return ::grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t slice_bytes = 1 + size_t{data[0]} * 4;
  std::unique_ptr<BatchDecoder> decoder;
  for (size_t at = 1; at + 2 <= size;) {
    const size_t length = std::min<size_t>(data[at] | data[at + 1] << 8, size - at - 2);
    auto message = Decode(Slices(data + at + 2, length, slice_bytes));
    at += 2 + length;
    if (!message.ok()) continue;
    if (decoder == nullptr) {
      auto opened = BatchDecoder::Open(std::move(*message), DecodePool::Make(1_MiB, nullptr));
      if (opened.ok()) decoder = std::move(*opened);
      continue;
    }
    if (!decoder->Read(std::move(*message)).ok()) return 0;
    decoder->Delivered();
  }
  return 0;
}
