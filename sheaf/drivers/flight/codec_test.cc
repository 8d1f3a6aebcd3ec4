// PLAN  a message survives encoding and decoding, wherever slices begin and end · a large field in
//       one slice is not copied · foreign fields are skipped · lengths beyond the message, fields
//       twice, bad tags and groups are kInvalid · a message above 2 GiB is not sent
#include "sheaf/drivers/flight/codec.h"

#include <arrow/io/memory.h>
#include <gtest/gtest.h>

#include "sheaf/drivers/flight/echo_handler_test.h"
#include "sheaf/drivers/flight/raw_client_test.h"

namespace sheaf::flight {
namespace {

arrow::ipc::IpcPayload PayloadOf(const arrow::RecordBatch& batch) {
  arrow::ipc::IpcPayload payload;
  SHEAF_CHECK(
      arrow::ipc::GetRecordBatchPayload(batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload)
          .ok());
  return payload;
}

std::string BodyOf(const arrow::ipc::IpcPayload& payload) {
  std::string body;
  for (const auto& buffer : payload.body_buffers) {
    if (buffer == nullptr) continue;
    body += buffer->ToString();
    body.resize((body.size() + 7) / 8 * 8);
  }
  return body;
}

::grpc::ByteBuffer InSlices(const std::string& bytes, size_t slice_bytes) {
  std::vector<::grpc::Slice> slices;
  for (size_t at = 0; at < bytes.size(); at += slice_bytes) {
    slices.emplace_back(bytes.substr(at, slice_bytes));
    if (at % 3 == 0) slices.emplace_back(std::string());
  }
  return ::grpc::ByteBuffer(slices.data(), slices.size());
}

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

Kind KindOf(const std::string& bytes) {
  const auto decoded = Decode(BufferOf(bytes));
  return decoded.ok() ? Kind::kInternal : decoded.error().kind;
}

TEST(CodecTest, MessageSurvivesWhereverSlicesBeginAndEnd) {
  const auto payload = PayloadOf(*NumbersBatch(33, 3));
  const std::string bytes = BytesOf(Encode(payload, "app").value());
  for (size_t slice_bytes = 1; slice_bytes < bytes.size() + 2; ++slice_bytes) {
    const auto data = Decode(InSlices(bytes, slice_bytes));
    ASSERT_TRUE(data.ok()) << slice_bytes;
    EXPECT_EQ(TextOf(data->header), payload.metadata->ToString());
    EXPECT_EQ(TextOf(data->app_metadata), "app");
    EXPECT_EQ(TextOf(data->body), BodyOf(payload));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data->header->data()) % 8, 0);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data->body->data()) % 8, 0);
  }
}

TEST(CodecTest, EncodingIsWhatProtobufReads) {
  const auto payload = PayloadOf(*NumbersBatch(1000, 2));
  arrow::flight::protocol::FlightData data;
  ASSERT_TRUE(data.ParseFromString(BytesOf(Encode(payload, "app").value())));
  EXPECT_EQ(data.data_header(), payload.metadata->ToString());
  EXPECT_EQ(data.app_metadata(), "app");
  EXPECT_EQ(data.data_body(), BodyOf(payload));
  EXPECT_FALSE(data.has_flight_descriptor());
  data.mutable_flight_descriptor()->add_path("x");
  const auto decoded = Decode(BufferOf(data.SerializeAsString())).value();
  EXPECT_EQ(decoded.descriptor, data.flight_descriptor().SerializeAsString());
  EXPECT_EQ(TextOf(decoded.body), data.data_body());
}

TEST(CodecTest, LargeFieldsAreNotCopied) {
  const auto batch = NumbersBatch(10'000, 1);
  const auto payload = PayloadOf(*batch);
  auto message = Encode(payload).value();
  std::vector<::grpc::Slice> slices;
  ASSERT_TRUE(message.Dump(&slices).ok());
  EXPECT_EQ(slices.back().begin(), batch->column_data(0)->buffers[1]->data());
  const auto data = Decode(std::move(message)).value();
  EXPECT_EQ(data.body->data(), batch->column_data(0)->buffers[1]->data());
}

TEST(CodecTest, EncodedBuffersLiveUntilTheMessageDies) {
  auto buffer = std::make_shared<arrow::Buffer>(nullptr, 0);
  std::weak_ptr<arrow::Buffer> alive;
  auto message = [&] {
    const auto payload = PayloadOf(*NumbersBatch(1000, 1));
    alive = payload.body_buffers.back();
    return Encode(payload).value();
  }();
  EXPECT_FALSE(alive.expired());
  message.Clear();
  EXPECT_TRUE(alive.expired());
}

TEST(CodecTest, UnknownFieldsAreSkipped) {
  const std::string varint = Varint(15 << 3) + Varint(1'000'000);
  const std::string fixed64 = Varint(15 << 3 | 1) + "12345678";
  const std::string fixed32 = Varint(15 << 3 | 5) + "1234";
  const std::string bytes = Varint(12345 << 3 | 2) + Varint(3) + "abc";
  const auto data = Decode(BufferOf(varint + fixed64 + Field(3, "m") + fixed32 + bytes));
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(TextOf(data->app_metadata), "m");
  EXPECT_EQ(data->header, nullptr);
}

TEST(CodecTest, EmptyMessageAndEmptyFieldsAreNothing) {
  EXPECT_EQ(Decode(BufferOf(""))->header, nullptr);
  const auto data = Decode(BufferOf(Field(2, "") + Field(1, "")));
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->header, nullptr);
  EXPECT_EQ(data->descriptor, "");
}

TEST(CodecTest, LengthBeyondTheMessageIsInvalid) {
  for (const uint64_t length : {4ULL, 1ULL << 31, 1ULL << 62, ~0ULL}) {
    for (const uint64_t field : {1, 2, 3, 1000, 99}) {
      EXPECT_EQ(KindOf(Varint(field << 3 | 2) + Varint(length) + "abc"), Kind::kInvalid);
    }
  }
}

TEST(CodecTest, CutMessagesAreInvalid) {
  const std::string bytes = BytesOf(Encode(PayloadOf(*NumbersBatch(5, 1)), "app").value());
  const std::string header = bytes.substr(0, bytes.find("app") + 3);
  for (size_t size = 1; size < bytes.size(); ++size) {
    // A cut between fields leaves a message of fewer fields.
    const auto decoded = Decode(BufferOf(bytes.substr(0, size)));
    if (decoded.ok()) {
      EXPECT_EQ(decoded->body, nullptr) << size;
    } else {
      EXPECT_EQ(decoded.error().kind, Kind::kInvalid);
    }
  }
}

TEST(CodecTest, MalformedTagsAreInvalid) {
  EXPECT_EQ(KindOf(std::string(1, '\x02')), Kind::kInvalid);           // Field number 0.
  EXPECT_EQ(KindOf(std::string("\x1b\x00", 2)), Kind::kInvalid);       // A group.
  EXPECT_EQ(KindOf(std::string("\x1e\x00", 2)), Kind::kInvalid);       // Wire type 6.
  EXPECT_EQ(KindOf(std::string(11, '\xff')), Kind::kInvalid);          // A varint without end.
  EXPECT_EQ(KindOf(Varint(15 << 3 | 1) + "1234567"), Kind::kInvalid);  // Short of a byte.
  EXPECT_EQ(KindOf(Field(2, "a") + Field(2, "b")), Kind::kInvalid);    // Twice.
  EXPECT_EQ(KindOf(Field(1, "a") + Field(1, "b")), Kind::kInvalid);
}

TEST(CodecTest, MessageAboveTwoGigabytesIsNotSent) {
  arrow::ipc::IpcPayload payload = PayloadOf(*NumbersBatch(1));
  payload.body_length = kFlightDataBytesMax;
  const auto encoded = Encode(payload);
  ASSERT_FALSE(encoded.ok());
  EXPECT_EQ(encoded.error().kind, Kind::kInternal);
}

}  // namespace
}  // namespace sheaf::flight
