// Record batches to FlightData and back: schema first, dictionaries and their replacements where
// they are needed.
#pragma once

#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <deque>
#include <memory>
#include <string>

#include "sheaf/drivers/flight/codec.h"
#include "sheaf/drivers/flight/decode_pool.h"
#include "sheaf/drivers/flight/server.h"

namespace sheaf::flight {

// Turns a stream of batches into messages.
//
// Owner: one stream. Threads: one at a time. Blocking: never, but compresses on the caller's
// thread. Errors: kInternal; a batch of another schema is a defect of who sends it.
class BatchEncoder final {
 public:
  // The schema message, with `schema_metadata` on it, is ready at once.
  static Result<std::unique_ptr<BatchEncoder>> Open(const std::shared_ptr<arrow::Schema>& schema,
                                                    Compression compression,
                                                    std::string schema_metadata);
  Status Write(const arrow::RecordBatch& batch);
  bool empty() const { return messages_.empty(); }
  size_t bytes() const;  // Of the messages that are ready.
  ::grpc::ByteBuffer Pop();

 private:
  class Sink;
  BatchEncoder() = default;
  std::deque<::grpc::ByteBuffer> messages_;
  Status failed_;  // Of our own encoding, below Arrow's writer.
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

// What a message of a stream turned out to be.
struct Decoded {
  enum class What : uint8_t { kBatch, kDictionary, kMetadata };
  What what = What::kMetadata;
  std::shared_ptr<arrow::RecordBatch> batch;
  std::string app_metadata;
};

// Turns messages from outside into batches. Nothing is believed: IPC structure is verified, and
// every batch passes ValidateFull.
//
// Owner: one stream. Threads: one at a time. Blocking: never, but decodes on the caller's thread.
// Errors: kInvalid; kExhausted when a message decodes to more than it may.
class BatchDecoder final {
 public:
  // `first` is the stream's first message.
  static Result<std::unique_ptr<BatchDecoder>> Open(FlightData first, DecodePool::Handle pool);
  ~BatchDecoder();
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  Result<Decoded> Read(FlightData data);
  // What the last message decoded to is charged to someone else by now.
  void Delivered() { pool_->Begin(); }

 private:
  struct Queue;
  class Source;
  BatchDecoder() = default;
  Status Push(FlightData& data, arrow::ipc::MessageType& type);
  Result<std::shared_ptr<arrow::RecordBatch>> NextBatch();

  DecodePool::Handle pool_;       // Before the reader, which allocates from it.
  std::shared_ptr<Queue> queue_;  // Shared with the reader's source.
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace sheaf::flight
