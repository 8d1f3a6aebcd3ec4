#include "sheaf/drivers/flight/get_reactor.h"

#include <utility>

namespace sheaf::flight {
namespace {

// Below it the stream is asked for what follows before a message goes, as the last one takes the
// status with it. (gRPC's hint to hold a message back does not serve: a first message that is held
// is never reported as written.)
constexpr size_t kTogether = 16 * 1024;

}  // namespace

GetReactor::GetReactor(Core& core, std::shared_ptr<grpc::Context> context,
                       const ::grpc::ByteBuffer& ticket)
    : FlightReactor(core, std::move(context)),
      ticket_(ticket),
      idle_(core.timers, core.options.idle_write, [this] { Idle(); }) {}

void GetReactor::Begin() {
  auto ticket = ParseRequest<pb::Ticket>(ticket_);
  if (!ticket.ok()) {
    EndWith(ticket.error());
    return;
  }
  beginner_ = std::this_thread::get_id();
  core().handler.DoGet(MakeCall(), std::move(*ticket->mutable_ticket()), ReplyTo<Stream>(this));
  beginner_ = std::thread::id();
}

void GetReactor::Answer(Result<Stream> result) {
  if (!result.ok()) {
    EndWith(result.error());
    return;
  }
  if (*result == nullptr) {
    EndWith(Fail(Kind::kInternal, "DoGet was answered without a stream"));
    return;
  }
  stream_ = std::move(*result);
  const Compression compression = stream_->compression();
  compresses_ = compression != Compression::kNone;
  auto encoder = BatchEncoder::Open(stream_->schema(), compression, stream_->schema_metadata());
  if (!encoder.ok()) {
    EndWith(encoder.error());
    return;
  }
  encoder_ = std::move(*encoder);
  SetState(Waker::State::kPumping);
  // Answered on the spot: nobody's lock is held, and another thread would only be woken for it.
  if (beginner_ == std::this_thread::get_id() && !compresses_) return Pump();
  PostPump(std::static_pointer_cast<GetReactor>(shared_from_this()));
}

bool GetReactor::SetState(Waker::State state) {
  MutexLock lock(waker_->mutex);
  if (waker_->state == Waker::State::kOver) return false;
  waker_->state = state;
  return true;
}

void GetReactor::PostPump(std::shared_ptr<GetReactor> self) {
  // The pointer goes with the work: whoever wakes a stream must not be the one who destroys it.
  Executor& executor = self->core().get;
  const std::weak_ptr<GetReactor> weak = self;
  if (executor.TryPost([self = std::move(self)] { self->Pump(); })) return;
  if (auto refused = weak.lock()) {
    refused->EndWith(Fail(Kind::kBackpressure, "no thread is free for the stream"));
  }
}

void GetReactor::Pump() {
  while (true) {
    while (next_ == Next::kAsk && encoder_->bytes() < kTogether) Fetch();
    if (!encoder_->empty()) return Write();
    if (next_ == Next::kEnd) return Finish();
    if (ended()) return;
    MutexLock lock(waker_->mutex);
    if (!waker_->woken) {
      waker_->state = Waker::State::kWaiting;
      return;
    }
    next_ = Next::kAsk;
  }
}

void GetReactor::Fetch() {
  {
    MutexLock lock(waker_->mutex);
    waker_->woken = false;
  }
  auto step = stream_->Next([waker = waker_, weak = weak_from_this()] { Wake(*waker, weak); });
  if (!step.ok()) {
    ending_ = step.error();
    next_ = Next::kEnd;
    return;
  }
  switch (step->what) {
    case GetStream::Step::What::kBatch:
      ending_ = step->batch == nullptr ? Status(Fail(Kind::kInternal, "a stream gave no batch"))
                                       : encoder_->Write(*step->batch);
      if (!ending_.ok()) next_ = Next::kEnd;
      return;
    case GetStream::Step::What::kEnd: next_ = Next::kEnd; return;
    case GetStream::Step::What::kPending: next_ = Next::kWait; return;
  }
  __builtin_unreachable();
}

void GetReactor::Wake(Waker& waker, const std::weak_ptr<grpc::Life>& weak) {
  {
    MutexLock lock(waker.mutex);
    waker.woken = true;
    if (waker.state != Waker::State::kWaiting) return;
    waker.state = Waker::State::kPumping;
  }
  if (auto self = weak.lock()) PostPump(std::static_pointer_cast<GetReactor>(std::move(self)));
}

void GetReactor::Write() {
  message_ = encoder_->Pop();
  const bool last = encoder_->empty() && next_ == Next::kEnd && ending_.ok();
  SetState(Waker::State::kWriting);  // From here on Idle may take the encoder.
  idle_.Started();
  if (last) {
    EndBy(grpc::Outcome::Ok(), [this](::grpc::Status status) {
      StartWriteAndFinish(&message_, ::grpc::WriteOptions(), std::move(status));
    });
    return;
  }
  context()->SealHeaders();
  Operate([this] { StartWrite(&message_); });
}

void GetReactor::Finish() {
  idle_.Started();  // The status is sent after the data, which a client may leave unread.
  if (ending_.ok()) {
    End(grpc::Outcome::Ok());
  } else {
    EndWith(ending_.error());
  }
}

void GetReactor::OnWriteDone(bool ok) {
  idle_.Ended();
  message_.Clear();
  if (!ok) return PeerGone();
  if (!SetState(Waker::State::kPumping)) return;
  // Compression takes long, and gRPC's threads are few.
  if (compresses_ && encoder_->empty()) {
    return PostPump(std::static_pointer_cast<GetReactor>(shared_from_this()));
  }
  Pump();
}

void GetReactor::Idle() {
  auto self = std::static_pointer_cast<GetReactor>(weak_from_this().lock());
  if (self == nullptr) return;
  EndIdle(kUnread);
  {
    MutexLock lock(waker_->mutex);
    if (waker_->state != Waker::State::kWriting) return;
    waker_->state = Waker::State::kOver;  // Nobody pumps any more: the stream is ours.
  }
  // What it holds is given back now, whenever the client wakes up.
  static_cast<void>(core().get.TryPost([self] {
    self->stream_.reset();
    self->encoder_.reset();
  }));
}

}  // namespace sheaf::flight
