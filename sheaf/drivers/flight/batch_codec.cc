#include "sheaf/drivers/flight/batch_codec.h"

#include <arrow/util/compression.h>

#include <utility>

#include "sheaf/drivers/grpc/grpc.h"

namespace sheaf::flight {
namespace {

// Dictionaries that wait for their batch. A schema has a few; a stream that only ever sends
// dictionaries has no end.
constexpr size_t kPendingMax = 16'384;
constexpr int64_t kRowsMax = INT32_MAX;  // Of a batch: types without buffers may claim any number.
constexpr size_t kReasonBytesMax = 300;

Error Bad(const arrow::Status& status) {
  const Kind kind = status.IsOutOfMemory() ? Kind::kExhausted : Kind::kInvalid;
  return Fail(kind, grpc::Shorten(status.message(), kReasonBytesMax));
}

}  // namespace

// --- out ----------------------------------------------------------------------------------------

class BatchEncoder::Sink final : public arrow::ipc::internal::IpcPayloadWriter {
 public:
  Sink(BatchEncoder& to, std::string schema_metadata)
      : to_(to), metadata_(std::move(schema_metadata)) {}

  arrow::Status WritePayload(const arrow::ipc::IpcPayload& payload) override {
    auto message = Encode(payload, std::exchange(metadata_, {}));
    if (!message.ok()) {
      to_.failed_ = message.error();
      return arrow::Status::CapacityError("too large");
    }
    to_.messages_.push_back(std::move(*message));
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return arrow::Status::OK(); }

 private:
  BatchEncoder& to_;      // Borrowed: owns the writer that owns this.
  std::string metadata_;  // For the first message only, the schema.
};

Result<std::unique_ptr<BatchEncoder>> BatchEncoder::Open(
    const std::shared_ptr<arrow::Schema>& schema, Compression compression,
    std::string schema_metadata) {
  if (schema == nullptr) return Fail(Kind::kInternal, "a stream without a schema was to be sent");
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;  // Streams run beside each other; one need not split itself.
  if (compression != Compression::kNone) {
    const auto type =
        compression == Compression::kLz4 ? arrow::Compression::LZ4_FRAME : arrow::Compression::ZSTD;
    auto codec = arrow::util::Codec::Create(type);
    if (!codec.ok()) return Fail(Kind::kUnsupported, codec.status().message());
    options.codec = std::move(*codec);
  }
  std::unique_ptr<BatchEncoder> encoder(new BatchEncoder());
  auto writer = arrow::ipc::internal::OpenRecordBatchWriter(
      std::make_unique<Sink>(*encoder, std::move(schema_metadata)), schema, options);
  if (!encoder->failed_.ok()) return encoder->failed_.error();
  if (!writer.ok()) return Fail(Kind::kInternal, writer.status().message());
  encoder->writer_ = std::move(*writer);
  return encoder;
}

Status BatchEncoder::Write(const arrow::RecordBatch& batch) {
  const arrow::Status status = writer_->WriteRecordBatch(batch);
  if (!failed_.ok()) return failed_.error();
  if (!status.ok()) return Fail(Kind::kInternal, "encoding a batch: " + status.message());
  return Done();
}

::grpc::ByteBuffer BatchEncoder::Pop() {
  ::grpc::ByteBuffer message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

size_t BatchEncoder::bytes() const {
  size_t sum = 0;
  for (const auto& message : messages_) sum += message.Length();
  return sum;
}

// --- in -----------------------------------------------------------------------------------------

struct BatchDecoder::Queue {
  std::deque<std::unique_ptr<arrow::ipc::Message>> messages;
};

// What Arrow's reader pulls from. It is only asked when a record batch stands at the end of the
// queue, so it never finds it empty but on a stream that lies; then it must not hear "end", which
// it takes for a message without metadata.
class BatchDecoder::Source final : public arrow::ipc::MessageReader {
 public:
  explicit Source(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}

  arrow::Result<std::unique_ptr<arrow::ipc::Message>> ReadNextMessage() override {
    if (queue_->messages.empty()) return arrow::Status::Invalid("a dictionary is missing");
    auto message = std::move(queue_->messages.front());
    queue_->messages.pop_front();
    return message;
  }

 private:
  const std::shared_ptr<Queue> queue_;  // Shared with the decoder, which fills it.
};

BatchDecoder::~BatchDecoder() {
  if (pool_ != nullptr) pool_->Begin();  // Gives back what is still charged.
}

Result<std::unique_ptr<BatchDecoder>> BatchDecoder::Open(FlightData first,
                                                         DecodePool::Handle pool) {
  if (first.header == nullptr) {
    return Fail(Kind::kInvalid, "the first message of a stream holds no schema");
  }
  std::unique_ptr<BatchDecoder> decoder(new BatchDecoder());
  decoder->pool_ = std::move(pool);
  decoder->queue_ = std::make_shared<Queue>();
  arrow::ipc::MessageType type{};
  SHEAF_TRY(decoder->Push(first, type));
  if (type != arrow::ipc::MessageType::SCHEMA) {
    return Fail(Kind::kInvalid, "the first message of a stream must be its schema, not a " +
                                    arrow::ipc::FormatMessageType(type));
  }
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = decoder->pool_.get();
  options.use_threads = false;  // The pool counts on one thread.
  options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  auto reader =
      arrow::ipc::RecordBatchStreamReader::Open(std::make_unique<Source>(decoder->queue_), options);
  if (!reader.ok()) return Bad(reader.status()).In("the schema");
  decoder->reader_ = std::move(*reader);
  decoder->schema_ = decoder->reader_->schema();
  return decoder;
}

Status BatchDecoder::Push(FlightData& data, arrow::ipc::MessageType& type) {
  if (data.body == nullptr) data.body = std::make_shared<arrow::Buffer>(nullptr, 0);
  const int64_t body_bytes = data.body->size();
  auto opened = arrow::ipc::Message::Open(std::move(data.header), std::move(data.body));
  if (!opened.ok()) return Bad(opened.status()).In("an IPC message");
  auto message = std::move(*opened);
  if (message->body_length() < 0 || message->body_length() > body_bytes) {
    return Fail(Kind::kInvalid, "an IPC message's body is shorter than its header says");
  }
  type = message->type();
  queue_->messages.push_back(std::move(message));
  if (queue_->messages.size() <= kPendingMax) return Done();
  return Fail(Kind::kInvalid,
              "more than " + std::to_string(kPendingMax) + " dictionaries without a record batch");
}

Result<std::shared_ptr<arrow::RecordBatch>> BatchDecoder::NextBatch() {
  std::shared_ptr<arrow::RecordBatch> batch;
  if (auto status = reader_->ReadNext(&batch); !status.ok()) {
    return Bad(status).In("a record batch");
  }
  if (batch == nullptr) return Fail(Kind::kInvalid, "a record batch could not be read");
  if (batch->num_rows() > kRowsMax) {
    return Fail(Kind::kInvalid, "a record batch of more than 2,147,483,647 rows");
  }
  if (auto status = batch->ValidateFull(); !status.ok()) {
    return Bad(status).In("a record batch is not valid");
  }
  return batch;
}

Result<Decoded> BatchDecoder::Read(FlightData data) {
  Decoded decoded;
  pool_->Begin();
  decoded.app_metadata = TextOf(data.app_metadata);
  if (data.header == nullptr) {
    if (data.body != nullptr) return Fail(Kind::kInvalid, "a message has a body and no header");
    if (data.app_metadata == nullptr) return Fail(Kind::kInvalid, "a message is empty");
    if (!queue_->messages.empty()) {
      return Fail(Kind::kInvalid, "a dictionary must be followed by its record batch");
    }
    return decoded;
  }
  arrow::ipc::MessageType type{};
  SHEAF_TRY(Push(data, type));
  if (type == arrow::ipc::MessageType::DICTIONARY_BATCH) {
    decoded.what = Decoded::What::kDictionary;
    return decoded;
  }
  if (type != arrow::ipc::MessageType::RECORD_BATCH) {
    return Fail(Kind::kInvalid, "a message of type " + arrow::ipc::FormatMessageType(type) +
                                    " in the middle of a stream");
  }
  decoded.what = Decoded::What::kBatch;
  SHEAF_ASSIGN(decoded.batch, NextBatch());
  return decoded;
}

}  // namespace sheaf::flight
