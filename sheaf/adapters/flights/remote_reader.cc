#include "sheaf/adapters/flights/remote_reader.h"

#include <arrow/ipc/dictionary.h>
#include <arrow/type.h>

#include <utility>

#include "sheaf/adapters/flights/flight_error.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights {
namespace {

namespace fl = arrow::flight;

}  // namespace

void EndInterest(Peer& peer, const Interest& interest, const Context& context) {
  const auto options = peer.CancelOptions(context);
  if (interest.info != nullptr) {
    fl::CancelFlightInfoRequest request(std::make_unique<fl::FlightInfo>(*interest.info));
    auto ignored = peer.client().CancelFlightInfo(options, request);
    static_cast<void>(ignored);
  } else if (!interest.task.empty()) {
    const fl::Action action{"CancelTask",
                            arrow::Buffer::FromString(Json{{"task", interest.task.text}}.dump())};
    auto results = peer.client().DoAction(options, action);
    if (results.ok()) static_cast<void>((*results)->Drain());
  }
}

struct RemoteReader::Live {
  Mutex mutex;
  std::shared_ptr<fl::FlightStreamReader> stream SHEAF_GUARDED_BY(mutex);

  std::shared_ptr<fl::FlightStreamReader> Get() {
    MutexLock lock(mutex);
    return stream;
  }
  void Set(std::shared_ptr<fl::FlightStreamReader> next) {
    MutexLock lock(mutex);
    stream.swap(next);
  }
};

RemoteReader::RemoteReader(PeerPtr peer, Interest interest, const Context& context)
    : peer_(std::move(peer)),
      interest_(std::move(interest)),
      context_(context),
      address_(peer_->address()),
      live_(std::make_shared<Live>()) {
  on_cancel_ = context_.cancel.OnCancel([live = live_] {
    if (auto stream = live->Get()) stream->Cancel();
  });
}

Result<std::shared_ptr<RemoteReader>> RemoteReader::Open(PeerPtr peer, Interest interest,
                                                         const Context& context) {
  std::shared_ptr<RemoteReader> reader(
      new RemoteReader(std::move(peer), std::move(interest), context));
  const fl::FlightInfo& info = *reader->interest_.info;
  reader->endpoints_ = info.endpoints();
  if (!reader->endpoints_.empty()) {
    SHEAF_TRY(reader->OpenNext());
    return reader;
  }
  arrow::ipc::DictionaryMemo memo;
  auto schema = info.GetSchema(&memo);
  if (!schema.ok()) return FromFlight(schema.status(), reader->address_);
  reader->schema_ = *schema;
  reader->ended_ = true;
  return reader;
}

Result<std::shared_ptr<RemoteReader>> RemoteReader::Of(
    PeerPtr peer, std::unique_ptr<fl::FlightStreamReader> stream, const Context& context) {
  std::shared_ptr<RemoteReader> reader(new RemoteReader(std::move(peer), {}, context));
  SHEAF_TRY(reader->Accept(std::move(stream)));
  return reader;
}

RemoteReader::~RemoteReader() {
  if (!ended_) End(Fail(Kind::kCancelled, "the reader was dropped"));
  on_cancel_.Reset();
}

Status RemoteReader::OpenNext() {
  const fl::FlightEndpoint& endpoint = endpoints_[next_++];
  SHEAF_ASSIGN(PeerPtr peer, peer_->At(endpoint));
  SHEAF_ASSIGN(const auto options, peer->Options(context_));
  address_ = peer->address();
  auto stream = peer->client().DoGet(options, endpoint.ticket);
  if (!stream.ok()) {
    SHEAF_TRY(context_.cancel.Check());
    return FromFlight(stream.status(), address_);
  }
  return Accept(std::move(*stream));
}

Status RemoteReader::Accept(std::unique_ptr<fl::FlightStreamReader> stream) {
  auto schema = stream->GetSchema();
  if (!schema.ok()) return FromFlight(schema.status(), address_);
  if (schema_ == nullptr) {
    schema_ = *schema;
  } else if (!schema_->Equals(**schema, /*check_metadata=*/false)) {
    return Fail(Kind::kCorrupt, "endpoint " + std::to_string(next_ - 1) + " at " + address_ +
                                    " has another schema than the first");
  }
  live_->Set(std::move(stream));
  return context_.cancel.Check();  // A cancel between the call and Set saw no stream.
}

Result<Batch> RemoteReader::Read() {
  while (true) {
    const auto stream = live_->Get();
    SHEAF_TRY(context_.cancel.Check());
    auto chunk = stream->Next();
    if (!chunk.ok()) {
      SHEAF_TRY(context_.cancel.Check());
      return FromFlight(chunk.status(), address_);
    }
    if (chunk->data != nullptr) return std::move(chunk->data);
    if (chunk->app_metadata != nullptr) continue;  // A message of metadata alone.
    if (next_ >= endpoints_.size()) return Batch();
    SHEAF_TRY(OpenNext());
  }
}

arrow::Status RemoteReader::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  batch->reset();
  if (ended_) return arrow::Status::OK();
  auto read = Read();
  if (!read.ok()) {
    End(read.error());
    return columnar::ToArrow(read.error());
  }
  *batch = std::move(read).value();
  if (*batch == nullptr) {
    ended_ = true;
    live_->Set(nullptr);
  }
  return arrow::Status::OK();
}

arrow::Status RemoteReader::Close() {
  if (!ended_) End(Fail(Kind::kCancelled, "the reader was closed"));
  return arrow::Status::OK();
}

// The stream is cancelled; the run too, when its caller gave up or nobody would find its result.
void RemoteReader::End(Error reason) {
  ended_ = true;
  const auto stream = live_->Get();
  if (stream != nullptr) stream->Cancel();
  live_->Set(nullptr);
  const bool gave_up = context_.cancel.cancelled() || reason.kind == Kind::kDeadline;
  const bool dropped =
      reason.kind == Kind::kCancelled && interest_.on_drop == Interest::OnDrop::kEnd;
  if (gave_up || dropped) EndInterest(*peer_, interest_, context_);
}

}  // namespace sheaf::flights
