#include "sheaf/adapters/flights/remote_put.h"

#include <arrow/buffer.h>

#include <utility>

#include "sheaf/adapters/flights/flight_error.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights {
namespace {

namespace fl = arrow::flight;

std::shared_ptr<arrow::Buffer> Message(const Json& json) {
  return arrow::Buffer::FromString(json.dump());
}

Result<PutReceipt> ReceiptOf(const arrow::Buffer* answer, const std::string& address) {
  if (answer == nullptr) {
    return Error{
        Kind::kDependency, Effect::kUnknown, address + " ended the upload without a word", {}};
  }
  SHEAF_ASSIGN(const Json json, ParseAnswer(std::string_view(*answer), address));
  command::ObjectReader read(json, "receipt");
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  PutReceipt receipt;
  SHEAF_ASSIGN(receipt.rows, read.Integer("rows", 0, 0, kMost));
  SHEAF_ASSIGN(receipt.bytes, read.Integer("bytes", 0, 0, kMost));
  SHEAF_ASSIGN(const int64_t generation, read.Integer("generation", 0, 0, kMost));
  SHEAF_ASSIGN(receipt.durable, read.Boolean("durable", false));
  receipt.generation = static_cast<uint64_t>(generation);
  return receipt;
}

// One upload. Ends by Commit or Abort; before the commit message nothing can become visible.
class Upload final {
 public:
  Upload(Peer& peer, fl::FlightClient::DoPutResult streams)
      : peer_(peer), streams_(std::move(streams)) {}
  ~Upload() {
    if (!closed_) Abort();
  }

  Status Write(const Batch& batch) {
    SHEAF_ASSIGN(const auto slices, columnar::CutToLimit(batch));
    for (const Batch& slice : slices) {
      if (auto status = streams_.writer->WriteRecordBatch(*slice); !status.ok()) {
        return Broken(status);
      }
    }
    rows_ += batch->num_rows();
    return Done();
  }

  Result<PutReceipt> Commit() {
    auto status = streams_.writer->WriteMetadata(Message({{"commit", {{"rows", rows_}}}}));
    if (status.ok()) status = streams_.writer->DoneWriting();
    std::shared_ptr<arrow::Buffer> answer;
    if (status.ok()) status = streams_.reader->ReadMetadata(&answer);
    closed_ = true;
    const auto last = streams_.writer->Close();
    if (status.ok()) status = last;
    if (!status.ok()) return AfterCommit(status);
    return ReceiptOf(answer.get(), peer_.address());
  }

  // The server's own reason is the last status; that it cancelled is what was asked for.
  void Abort() {
    closed_ = true;
    static_cast<void>(streams_.writer->WriteMetadata(Message({{"abort", true}})));
    static_cast<void>(streams_.writer->Close());
  }

 private:
  // The server ended the call while we wrote: why, Close knows.
  Error Broken(const arrow::Status& status) {
    closed_ = true;
    const auto last = streams_.writer->Close();
    return FromFlight(last.ok() ? status : last, peer_.address());
  }

  // Without the server's own word nobody knows whether it committed.
  Error AfterCommit(const arrow::Status& status) {
    Error error = FromFlight(status, peer_.address());
    const auto detail = fl::FlightStatusDetail::UnwrapStatus(status);
    const bool said = detail != nullptr && detail->extra_info().starts_with('{');
    if (!said) error.effect = Effect::kUnknown;
    return error;
  }

  Peer& peer_;
  fl::FlightClient::DoPutResult streams_;
  int64_t rows_ = 0;
  bool closed_ = false;
};

Result<Batch> NextOf(arrow::RecordBatchReader& reader) {
  Batch batch;
  if (auto status = reader.ReadNext(&batch); !status.ok()) return columnar::FromArrow(status);
  return batch;
}

}  // namespace

Result<PutReceipt> PutRemote(Peer& peer, const Sink& sink, arrow::RecordBatchReader& reader,
                             const Context& context) {
  // The first batch before the call: a reader that fails at once costs the server nothing, and
  // the schema goes out with it even when there are no rows.
  SHEAF_ASSIGN(Batch batch, NextOf(reader));
  SHEAF_ASSIGN(auto options, peer.Options(context));
  options.headers.emplace_back("sheaf-commit", "explicit");
  const auto descriptor =
      fl::FlightDescriptor::Command(command::Canonical({{"sink", sink.ToJson()}}));
  auto streams = peer.client().DoPut(options, descriptor, reader.schema());
  if (!streams.ok()) return FromFlight(streams.status(), peer.address());
  Upload upload(peer, std::move(*streams));
  if (batch == nullptr) {
    SHEAF_ARROW_ASSIGN(batch, Kind::kInternal, arrow::RecordBatch::MakeEmpty(reader.schema()));
  }
  while (batch != nullptr) {
    SHEAF_TRY(context.cancel.Check());
    SHEAF_TRY(upload.Write(batch));
    SHEAF_ASSIGN(batch, NextOf(reader));
  }
  SHEAF_TRY(context.cancel.Check());
  return upload.Commit();
}

}  // namespace sheaf::flights
