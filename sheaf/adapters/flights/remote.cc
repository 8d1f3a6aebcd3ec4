#include <arrow/flight/client.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/type.h>

#include <utility>

#include "sheaf/adapters/flights/flight_error.h"
#include "sheaf/adapters/flights/flights.h"
#include "sheaf/adapters/flights/peer.h"
#include "sheaf/adapters/flights/project.h"
#include "sheaf/adapters/flights/remote_put.h"
#include "sheaf/adapters/flights/remote_reader.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::flights {
namespace {

namespace fl = arrow::flight;

const Command* CommandOf(const What& what) {
  const auto* asked = std::get_if<std::shared_ptr<const Command>>(&what);
  return asked == nullptr ? nullptr : asked->get();
}

// One turn of waiting, and what to ask next when it ended without an answer.
//
// A long run answers POLL with its task after each turn; the next turn asks for the task. So a
// cancel is seen between turns, and the server knows within one of them.
class Turns final {
 public:
  Turns(Peer& peer, const GetRequest& request, const Context& context)
      : peer_(peer), request_(request), context_(context), what_(request.what) {}

  const What& what() const { return what_; }
  const TaskId& task() const { return task_; }

  Result<fl::FlightCallOptions> Options() {
    auto options = peer_.Options(context_);
    if (!options.ok()) {
      EndInterest(peer_, {.info = nullptr, .task = task_}, context_);
      return options;
    }
    // Turns shrink towards the deadline: a client that gives up must know its task, to end it.
    Duration turn = peer_.options().turn;
    if (!context_.deadline.never()) {
      turn = std::min(turn, context_.deadline.Left(peer_.clock().Now()) / 2);
    }
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(turn);
    options->headers.emplace_back("sheaf-pollable", "true");
    options->headers.emplace_back("sheaf-wait-ms", std::to_string(wait.count()));
    return options;
  }

  // Done when the call is to be made again.
  Status Again(const arrow::Status& status) {
    Error error = FromFlight(status, peer_.address());
    if (error.kind == Kind::kDeadline && !task_.empty()) {
      EndInterest(peer_, {.info = nullptr, .task = task_}, context_);
    }
    if (error.kind != Kind::kPoll) return error;
    const Json details = Json::parse(error.details, nullptr, /*allow_exceptions=*/false);
    if (!details.is_object() || !details.contains("task") || !details["task"].is_string()) {
      return Fail(Kind::kDependency, peer_.address() + " says to wait but not for which task");
    }
    task_.text = details["task"].get<std::string>();
    what_ = command::TaskRef{task_};
    if (request_.on_progress) request_.on_progress(details);
    return Done();
  }

 private:
  Peer& peer_;
  const GetRequest& request_;
  const Context& context_;
  What what_;
  TaskId task_;
};

class RemoteFlights final : public Flights {
 public:
  explicit RemoteFlights(PeerPtr peer) : peer_(std::move(peer)) {}

  Result<Stream> Get(const GetRequest& request, const Context& context) override {
    if (!request.filter.empty()) {
      return Fail(Kind::kUnsupported,
                  "a filter cannot be sent to another node; put it into the command: `filter` of "
                  "the files service, or a WHERE in SQL");
    }
    const Command* asked = CommandOf(request.what);
    const auto* path = std::get_if<command::PathRef>(&request.what);
    const bool pinned = path != nullptr && path->generation.has_value();
    const bool one_trip = !request.on_progress && (asked == nullptr || !asked->sink);
    SHEAF_ASSIGN(Stream stream,
                 one_trip || pinned ? GetByTicket(request, context) : GetByInfo(request, context));
    SHEAF_ASSIGN(stream.reader, Project(std::move(stream.reader), request.columns));
    return stream;
  }

  Result<Schema> GetSchema(const What& what, const Context& context) override {
    if (const auto* path = std::get_if<command::PathRef>(&what); path && path->generation) {
      SHEAF_ASSIGN(const Stream stream, GetByTicket({.what = what}, context));
      return stream.reader->schema();
    }
    SHEAF_ASSIGN(const auto options, peer_->Options(context));
    auto result = peer_->client().GetSchema(options, DescriptorOf(what));
    if (!result.ok()) return FromFlight(result.status(), peer_->address());
    arrow::ipc::DictionaryMemo memo;
    auto schema = (*result)->GetSchema(&memo);
    if (!schema.ok()) return FromFlight(schema.status(), peer_->address());
    return *schema;
  }

  Result<PutReceipt> Put(const Sink& sink, arrow::RecordBatchReader& reader,
                         const Context& context) override {
    return PutRemote(*peer_, sink, reader, context);
  }

  Result<std::vector<Json>> Do(std::string_view action, const Json& body,
                               const Context& context) override {
    if (action == "CancelFlightInfo" || action == "RenewFlightEndpoint") {
      return Fail(Kind::kUnsupported, std::string(action) + " takes Flight's own message, not " +
                                          "JSON; use CancelTask or TouchFlight");
    }
    SHEAF_ASSIGN(const auto options, peer_->Options(context));
    const fl::Action call{std::string(action), arrow::Buffer::FromString(command::Canonical(body))};
    auto results = peer_->client().DoAction(options, call);
    if (!results.ok()) return FromFlight(results.status(), peer_->address());
    std::vector<Json> answers;
    while (true) {
      auto next = (*results)->Next();
      if (!next.ok()) return FromFlight(next.status(), peer_->address());
      if (*next == nullptr) return answers;
      const auto& body_of = (*next)->body;
      const std::string_view text = body_of == nullptr ? "" : std::string_view(*body_of);
      SHEAF_ASSIGN(Json answer, ParseAnswer(text, peer_->address()));
      answers.push_back(std::move(answer));
    }
  }

  Result<std::vector<Listed>> List(const Path& prefix, const Path& after, size_t limit,
                                   const Context& context) override {
    Json criteria{{"limit", limit}};
    if (!prefix.empty()) criteria["prefix"] = prefix.ToJson();
    if (!after.empty()) criteria["after"] = after.ToJson();
    SHEAF_ASSIGN(const auto options, peer_->Options(context));
    fl::Criteria asked;
    asked.expression = command::Canonical(criteria);
    auto listing = peer_->client().ListFlights(options, asked);
    if (!listing.ok()) return FromFlight(listing.status(), peer_->address());
    std::vector<Listed> found;
    while (true) {
      auto info = (*listing)->Next();
      if (!info.ok()) return FromFlight(info.status(), peer_->address());
      if (*info == nullptr) return found;
      SHEAF_ASSIGN(Listed one, ListedOf(**info));
      found.push_back(std::move(one));
    }
  }

 private:
  Result<Stream> GetByInfo(const GetRequest& request, const Context& context) {
    Turns turns(*peer_, request, context);
    while (true) {
      SHEAF_ASSIGN(const auto options, turns.Options());
      auto info = peer_->client().GetFlightInfo(options, DescriptorOf(turns.what()));
      if (!info.ok()) {
        SHEAF_TRY(turns.Again(info.status()));
        continue;
      }
      const Command* asked = CommandOf(request.what);
      Interest interest{.info = std::move(*info), .task = turns.task()};
      if (asked != nullptr && asked->sink) interest.on_drop = Interest::OnDrop::kLeave;
      if (auto over = context.cancel.Check(); !over.ok()) {
        EndInterest(*peer_, interest, context);
        return over.error();
      }
      SHEAF_ASSIGN(Json metadata, ParseAnswer(interest.info->app_metadata(), peer_->address()));
      SHEAF_ASSIGN(auto reader, RemoteReader::Open(peer_, std::move(interest), context));
      return Stream{std::move(metadata), std::move(reader)};
    }
  }

  Result<Stream> GetByTicket(const GetRequest& request, const Context& context) {
    Turns turns(*peer_, request, context);
    while (true) {
      SHEAF_ASSIGN(const auto options, turns.Options());
      auto stream = peer_->client().DoGet(options, TicketOf(turns.what()));
      if (!stream.ok()) {
        SHEAF_TRY(turns.Again(stream.status()));
        continue;
      }
      SHEAF_ASSIGN(auto reader, RemoteReader::Of(peer_, std::move(*stream), context));
      return Stream{Json::object(), std::move(reader)};
    }
  }

  Result<Listed> ListedOf(const fl::FlightInfo& info) const {
    Listed listed;
    SHEAF_ASSIGN(listed.path, Path::Make(info.descriptor().path));
    arrow::ipc::DictionaryMemo memo;
    auto schema = info.GetSchema(&memo);
    if (!schema.ok()) return FromFlight(schema.status(), peer_->address());
    listed.schema = *schema;
    listed.rows = info.total_records();
    listed.bytes = info.total_bytes();
    SHEAF_ASSIGN(listed.metadata, ParseAnswer(info.app_metadata(), peer_->address()));
    return listed;
  }

  const PeerPtr peer_;  // Shared with the streams that are still being read.
};

}  // namespace

Result<std::unique_ptr<Flights>> OpenRemote(const std::string& uri, Clock& clock,
                                            RemoteOptions options) {
  SHEAF_ASSIGN(PeerPtr peer, Peer::Connect(uri, clock, options));
  return std::make_unique<RemoteFlights>(std::move(peer));
}

}  // namespace sheaf::flights
