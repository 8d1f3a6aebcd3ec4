#include "sheaf/drivers/flight/put_reactor.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <chrono>
#include <utility>

namespace sheaf::flight {
namespace {

constexpr Duration kRoomLook = std::chrono::milliseconds(10);  // How often to look for room.

}  // namespace

class PutReactor::Received {
 public:
  Received() = default;
  // `bytes` are charged to `account` already; it may be null.
  Received(::grpc::ByteBuffer data, std::shared_ptr<Account> account)
      : data_(std::move(data)), account_(std::move(account)), bytes_(data_.Length()) {}
  Received(Received&& other) noexcept { *this = std::move(other); }
  Received& operator=(Received&& other) noexcept {
    Drop();
    data_.Swap(&other.data_);
    account_ = std::move(other.account_);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }
  ~Received() { Drop(); }
  // The bytes stay charged: they live on in what is made of them.
  ::grpc::ByteBuffer&& TakeData() { return std::move(data_); }
  Bytes bytes() const { return {static_cast<int64_t>(bytes_)}; }

 private:
  void Drop() {
    data_.Clear();
    if (account_ != nullptr) account_->Release({static_cast<int64_t>(bytes_)});
    account_.reset();
  }
  ::grpc::ByteBuffer data_;
  std::shared_ptr<Account> account_;  // Shared: accounts live as long as their charges.
  size_t bytes_ = 0;
};

PutReactor::PutReactor(Core& core, std::shared_ptr<grpc::Context> context)
    : FlightReactor(core, std::move(context)),
      idle_(core.timers, core.options.idle_read, [this] { Idle(); }) {}

PutReactor::~PutReactor() { idle_.Stop(); }

// --- receiving ----------------------------------------------------------------------------------

void PutReactor::Read() {
  idle_.Started();
  Operate([this] { StartRead(&in_); });
}

void PutReactor::OnReadDone(bool ok) {
  idle_.Ended();
  if (!ok) return NoMore();
  Take(Deadline::After(core().timers.clock(), core().options.charge_wait));
}

void PutReactor::Take(Deadline give_up) {
  const auto& account = core().options.account;
  const Bytes bytes{static_cast<int64_t>(in_.Length())};
  if (account == nullptr || account->TryCharge(bytes)) {
    Received received(std::move(in_), account);
    in_ = ::grpc::ByteBuffer();
    return Accept(std::move(received));
  }
  const bool hopeless = account->limit().count > 0 && bytes > account->limit();
  if (ended() || hopeless || give_up.Passed(core().timers.clock().Now())) {
    in_.Clear();
    return Refuse(Fail(Kind::kExhausted, "a message of " + core::ToText(bytes) +
                                             " finds no room in the budget for received data"));
  }
  // The message stays here and nothing more is read: this is what backpressure is made of.
  auto self = std::static_pointer_cast<PutReactor>(shared_from_this());
  core().timers.After(kRoomLook, [self, give_up] {
    static_cast<void>(self->core().get.TryPost([self, give_up] { self->Take(give_up); }));
  });
}

void PutReactor::Accept(Received received) {
  if (!std::exchange(opening_, true)) {
    if (const Status status = Open(received.TakeData()); !status.ok()) {
      EndWith(status.error());
      return;
    }
    return Read();
  }
  bool deliver = false;
  bool more = false;
  {
    MutexLock lock(mutex_);
    inbox_.push_back(std::move(received));
    more = ++undelivered_ < kUndeliveredMax;
    reading_ = more;
    deliver = opened_;
  }
  if (deliver) Post(&PutReactor::Deliver);
  if (more) Read();
}

Status PutReactor::Open(::grpc::ByteBuffer&& bytes) {
  SHEAF_ASSIGN(FlightData first, Decode(std::move(bytes)));
  if (!first.descriptor.has_value()) {
    return Fail(Kind::kInvalid, "the first message of an upload holds no descriptor");
  }
  SHEAF_ASSIGN(Descriptor descriptor, ParseDescriptor(*first.descriptor));
  auto pool = DecodePool::Make(core().options.receive_bytes_max, core().options.account);
  first_metadata_ = TextOf(first.app_metadata);
  SHEAF_ASSIGN(decoder_, BatchDecoder::Open(std::move(first), std::move(pool)));
  core().handler.DoPut(MakeCall(), std::move(descriptor), decoder_->schema(),
                       ReplyTo<Stream>(this));
  return Done();
}

void PutReactor::NoMore() {
  if (context()->IsCancelled()) return PeerGone();
  // A connection that breaks, and a message that is too large, end the read like a half-close, and
  // gRPC may say later that the call is cancelled. But it takes a call's operations in order, and
  // on a closed stream nothing can be sent: half an upload must not look complete.
  context()->SealHeaders();
  idle_.Started();
  Operate([this] { StartSendInitialMetadata(); });
}

void PutReactor::OnSendInitialMetadataDone(bool ok) {
  idle_.Ended();
  if (!ok || context()->IsCancelled()) return PeerGone();
  if (!opening_) {
    EndWith(Fail(Kind::kInvalid, "the upload ended before its descriptor and schema came"));
    return;
  }
  bool finish = false;
  {
    MutexLock lock(mutex_);
    reading_ = false;
    closed_ = true;
    finish = opened_ && undelivered_ == 0;
  }
  if (finish) Post(&PutReactor::Finish);
}

void PutReactor::Halted(const Error& reason) {
  {
    MutexLock lock(mutex_);
    halted_ = reason;
    if (!opened_) return;
  }
  Post(&PutReactor::Abort);
}

void PutReactor::Idle() {
  const auto self = weak_from_this().lock();
  if (self == nullptr) return;
  Cancel(Fail(Kind::kDeadline, kSilent));
}

// --- the handler's answer -----------------------------------------------------------------------

void PutReactor::Answer(Result<Stream> result) {
  if (!result.ok()) {
    EndWith(result.error());
    return;
  }
  if (*result == nullptr) {
    EndWith(Fail(Kind::kInternal, "DoPut was answered without a stream"));
    return;
  }
  int deliver = 0;
  bool finish = false;
  bool halted = false;
  {
    MutexLock lock(mutex_);
    stream_ = std::move(*result);
    opened_ = true;
    deliver = undelivered_;
    finish = closed_ && undelivered_ == 0;
    halted = halted_.has_value();
  }
  if (halted) return Post(&PutReactor::Abort);
  for (; deliver > 0; --deliver) Post(&PutReactor::Deliver);
  if (finish) Post(&PutReactor::Finish);
}

void PutReactor::Unwanted(Result<Stream> result) {
  if (!result.ok() || *result == nullptr) return;
  (*result)->Abort(Fail(Kind::kCancelled, "the client is gone"));
}

// --- delivering ---------------------------------------------------------------------------------

void PutReactor::Post(Turn turn) {
  {
    MutexLock lock(mutex_);
    turns_.push_back(turn);
    if (turns_.size() > 1) return;
  }
  NextTurn();
}

void PutReactor::NextTurn() {
  auto self = std::static_pointer_cast<PutReactor>(shared_from_this());
  const bool posted = core().put.TryPost([self] { self->TakeTurn(); });
  SHEAF_CHECK(posted);  // Its queue is longer than there are streams, and it outlives them.
}

void PutReactor::TakeTurn() {
  Turn turn = nullptr;
  {
    MutexLock lock(mutex_);
    turn = turns_.front();
  }
  (this->*turn)();
  {
    MutexLock lock(mutex_);
    turns_.pop_front();
    if (turns_.empty()) return;
  }
  NextTurn();
}

void PutReactor::Deliver() {
  Received received;
  {
    MutexLock lock(mutex_);
    received = std::move(inbox_.front());
    inbox_.pop_front();
  }
  if (stream_ != nullptr && !ended()) {
    if (const Status status = Feed(received.TakeData()); !status.ok())
      return Refuse(status.error());
  }
  const Bytes size = received.bytes();
  received = Received();
  if (const auto& memory = core().options.free_memory; memory != nullptr) memory->Moved(size);
  Delivered();
}

Status PutReactor::FeedFirst() {
  if (first_metadata_.empty()) return Done();
  return stream_->Metadata(std::exchange(first_metadata_, {}));
}

Status PutReactor::Feed(::grpc::ByteBuffer&& bytes) {
  SHEAF_TRY(FeedFirst());
  SHEAF_ASSIGN(FlightData data, Decode(std::move(bytes)));
  SHEAF_ASSIGN(Decoded decoded, decoder_->Read(std::move(data)));
  if (decoded.what == Decoded::What::kBatch) {
    SHEAF_TRY(stream_->Write(std::move(decoded.batch), std::move(decoded.app_metadata)));
    decoder_->Delivered();
    return Done();
  }
  if (decoded.app_metadata.empty()) return Done();
  return stream_->Metadata(std::move(decoded.app_metadata));
}

void PutReactor::Delivered() {
  bool read = false;
  bool finish = false;
  {
    MutexLock lock(mutex_);
    --undelivered_;
    read = !reading_ && !closed_;
    if (read) reading_ = true;
    finish = closed_ && undelivered_ == 0;
  }
  if (read) Read();
  if (finish) Finish();
}

void PutReactor::Finish() {
  if (stream_ == nullptr) return;
  if (ended() || context()->IsCancelled()) return Abort();
  if (const Status status = FeedFirst(); !status.ok()) return Refuse(status.error());
  Result<std::string> done = stream_->End();
  stream_.reset();
  if (!done.ok()) {
    EndWith(done.error());
    return;
  }
  pb::PutResult result;
  result.set_app_metadata(std::move(*done));
  bool own = false;
  if (!Claim()) return;
  static_cast<void>(::grpc::SerializationTraits<pb::PutResult>::Serialize(result, &result_, &own));
  context()->SealHeaders();
  StartWriteAndFinish(&result_, ::grpc::WriteOptions(), ::grpc::Status::OK);
}

void PutReactor::Abort() {
  if (stream_ == nullptr) return;
  Error reason = Fail(Kind::kCancelled, "the client broke off");
  {
    MutexLock lock(mutex_);
    if (halted_.has_value()) reason = *halted_;
  }
  std::exchange(stream_, nullptr)->Abort(std::move(reason));
}

void PutReactor::Refuse(const Error& reason) {
  if (!EndWith(reason)) return;  // Whoever ended the call has seen to the stream.
  Halted(reason);
}

}  // namespace sheaf::flight
