#include "sheaf/drivers/flight/get_reactor.h"

#include <utility>

namespace sheaf::flight {

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
  core().handler.DoGet(MakeCall(), std::move(*ticket->mutable_ticket()), ReplyTo<Stream>(this));
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
  while (encoder_->empty()) {
    if (!Fetch()) return;
  }
  Write();
}

bool GetReactor::Fetch() {
  if (ended()) return false;
  {
    MutexLock lock(waker_->mutex);
    waker_->woken = false;
  }
  auto step = stream_->Next([waker = waker_, weak = weak_from_this()] { Wake(*waker, weak); });
  if (!step.ok()) {
    idle_.Started();
    EndWith(step.error());
    return false;
  }
  switch (step->what) {
    case GetStream::Step::What::kBatch: {
      const Status status = step->batch == nullptr
                                ? Status(Fail(Kind::kInternal, "a stream gave no batch"))
                                : encoder_->Write(*step->batch);
      if (!status.ok()) EndWith(status.error());
      return status.ok();
    }
    case GetStream::Step::What::kEnd:
      idle_.Started();  // The status is sent after the data, which a client may leave unread.
      End(grpc::Outcome::Ok());
      return false;
    case GetStream::Step::What::kPending: {
      MutexLock lock(waker_->mutex);
      if (waker_->woken) return true;
      waker_->state = Waker::State::kWaiting;
      return false;
    }
  }
  __builtin_unreachable();
}

void GetReactor::Wake(Waker& waker, const std::weak_ptr<grpc::Life>& weak) {
  {
    MutexLock lock(waker.mutex);
    if (waker.state != Waker::State::kWaiting) {
      waker.woken = true;
      return;
    }
    waker.state = Waker::State::kPumping;
  }
  if (auto self = weak.lock()) PostPump(std::static_pointer_cast<GetReactor>(std::move(self)));
}

void GetReactor::Write() {
  message_ = encoder_->Pop();
  SetState(Waker::State::kWriting);
  context()->SealHeaders();
  idle_.Started();
  Operate([this] { StartWrite(&message_); });
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
