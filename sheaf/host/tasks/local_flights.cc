#include "sheaf/host/tasks/local_flights.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace sheaf::tasks {
namespace {

constexpr Duration kProgressEvery = std::chrono::milliseconds(500);

// Ends a caller's interest when its context is cancelled or its deadline passes, or when nobody
// said that the result was read to its end.
class Watch final {
 public:
  Watch(Engine& engine, Submission submission, const flights::Context& context)
      : engine_(engine), submission_(std::move(submission)), context_(context) {
    cancel_ = context_.cancel.OnCancel([this] { End(context_.cancel.Check().error()); });
    if (const auto at = context_.deadline.at()) {
      timer_ = engine_.timers().At(
          *at, [this] { End(Fail(Kind::kDeadline, "the call's deadline has passed")); });
    }
  }
  ~Watch() {
    cancel_.Reset();
    if (timer_.has_value()) engine_.timers().Cancel(*timer_);
    if (!read_to_end_) {
      engine_.EndInterest(submission_, Fail(Kind::kCancelled, "its reader was given up"));
    }
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  CancelToken token() const { return stop_.token(); }
  const Submission& submission() const { return submission_; }
  void ReadToEnd() { read_to_end_ = true; }

 private:
  void End(const Error& reason) {
    stop_.Cancel(reason);
    engine_.EndInterest(submission_, reason);
  }

  Engine& engine_;  // Borrowed; outlives every stream.
  const Submission submission_;
  const flights::Context context_;
  CancelSource stop_;
  bool read_to_end_ = false;
  CancelRegistration cancel_;
  std::optional<Timers::Handle> timer_;
};

// A stream of the engine as Arrow's reader, with chosen columns.
class StreamReader final : public arrow::RecordBatchReader {
 public:
  StreamReader(OpenedStream stream, Schema schema, std::vector<int> columns,
               std::unique_ptr<Watch> watch)
      : watch_(std::move(watch)),
        stream_(std::move(stream)),
        schema_(std::move(schema)),
        columns_(std::move(columns)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    auto next = stream_.reader->Wait(watch_->token());
    if (!next.ok()) return columnar::ToArrow(next.error());
    *batch = std::move(next).value();
    if (*batch == nullptr) watch_->ReadToEnd();
    if (*batch != nullptr && !columns_.empty()) {
      ARROW_ASSIGN_OR_RAISE(*batch, (*batch)->SelectColumns(columns_));
    }
    return arrow::Status::OK();
  }

 private:
  std::unique_ptr<Watch> watch_;  // First: ends the interest after the stream is closed.
  OpenedStream stream_;
  const Schema schema_;
  const std::vector<int> columns_;  // Empty = all.
};

Result<std::vector<int>> Select(const arrow::Schema& schema,
                                const std::vector<std::string>& names) {
  std::vector<int> columns;
  for (const auto& name : names) {
    const int at = schema.GetFieldIndex(name);
    if (at < 0) return Fail(Kind::kInvalid, "no column '" + name + "' in this flight");
    columns.push_back(at);
  }
  return columns;
}

}  // namespace

Json FlightMetadata(const store::FlightRecord& record) {
  Json json = FlightJson(record);
  json["task"] = nullptr;
  json["hit"] = true;
  return json;
}

Json OwnMetadata(const Path& path) {
  return {{"path", path.ToJson()}, {"task", nullptr}, {"hit", false}, {"own", true}};
}

Result<Submission> FindPath(store::Store& store, const command::PathRef& ref) {
  auto found = store.Lookup(ref.path);
  if (found.has_value() &&
      (!ref.generation.has_value() || *ref.generation == found->record->generation)) {
    const Identity identity = found->record->from.identity;
    return Submission{Outcome::kHit, identity, std::move(found), nullptr, {}};
  }
  if (ref.generation.has_value()) {
    SHEAF_ASSIGN(auto flight, store.LookupGeneration(ref.path, *ref.generation));
    auto record = std::make_shared<store::FlightRecord>();
    record->path = ref.path;
    record->generation = *ref.generation;
    record->rows = flight->size().rows;
    record->bytes = flight->size().bytes;
    return Submission{Outcome::kHit, {}, store::Found{record, std::move(flight)}, nullptr, {}};
  }
  return Fail(Kind::kNotFound, "no flight at '" + ref.path.Text() +
                                   "'; list what is there with ListFlights or `sheaf ls`");
}

Result<Submission> LocalFlights::Place(const flights::What& what, const flights::Context& context) {
  if (const auto* command = std::get_if<CommandPtr>(&what)) {
    return engine_.Submit(*command, context, Hold::kCall);
  }
  if (const auto* task = std::get_if<command::TaskRef>(&what)) {
    return engine_.Join(task->task, context, Hold::kCall);
  }
  const auto& path = std::get<command::PathRef>(what);
  if (const CommandPtr made = OwnAt(path)) return engine_.Submit(made, context, Hold::kCall);
  return FindPath(engine_.store(), path);
}

CommandPtr LocalFlights::OwnAt(const command::PathRef& ref) const {
  return ref.generation.has_value() ? nullptr : engine_.own().At(ref.path);
}

Status LocalFlights::WaitReady(const Submission& submission, const flights::GetRequest& request) {
  struct Shared {
    Mutex mutex;
    Status status SHEAF_GUARDED_BY(mutex);
    Event ready;
  };
  auto shared = std::make_shared<Shared>();  // Shared with the engine's call.
  engine_.Wait(submission, [shared](Status status) {
    {
      MutexLock lock(shared->mutex);
      shared->status = std::move(status);
    }
    shared->ready.Set();
  });
  while (!shared->ready.WaitFor(kProgressEvery)) {
    if (request.on_progress) request.on_progress(engine_.PollDetails(submission));
  }
  MutexLock lock(shared->mutex);
  return shared->status;
}

Result<flights::Stream> LocalFlights::Get(const flights::GetRequest& request,
                                          const flights::Context& context) {
  if (!request.filter.empty()) {
    return Fail(Kind::kUnsupported,
                "a filter on a whole flight is not supported; run the `sql` "
                "service over it instead");
  }
  SHEAF_ASSIGN(auto placed, Place(request.what, context));
  auto watch = std::make_unique<Watch>(engine_, std::move(placed), context);
  SHEAF_TRY(WaitReady(watch->submission(), request));
  engine_.Answer(watch->submission());  // A claim: {"task"} may read it again for a while.
  SHEAF_ASSIGN(auto opened, engine_.Open(watch->submission(), std::nullopt));
  SHEAF_ASSIGN(auto columns, Select(*opened.schema, request.columns));
  Schema schema = opened.schema;
  if (!columns.empty()) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const int at : columns) fields.push_back(schema->field(at));
    schema = arrow::schema(std::move(fields), schema->metadata());
  }
  flights::Stream stream;
  stream.metadata = opened.metadata;
  stream.reader = std::make_shared<StreamReader>(std::move(opened), std::move(schema),
                                                 std::move(columns), std::move(watch));
  return stream;
}

Result<Schema> LocalFlights::GetSchema(const flights::What& what, const flights::Context& context) {
  if (const auto* command = std::get_if<CommandPtr>(&what)) {
    return engine_.PlanSchema(*command, context);
  }
  if (const auto* path = std::get_if<command::PathRef>(&what)) {
    if (const CommandPtr made = OwnAt(*path)) return engine_.PlanSchema(made, context);
  }
  SHEAF_ASSIGN(auto submission, Place(what, context));
  SHEAF_ASSIGN(auto opened, engine_.Open(submission, std::nullopt));
  return opened.schema;
}

Result<flights::PutReceipt> LocalFlights::Put(const Sink& sink, arrow::RecordBatchReader& reader,
                                              const flights::Context& context) {
  SHEAF_ASSIGN(auto upload, engine_.OpenUpload(sink, reader.schema(), context));
  while (true) {
    SHEAF_TRY(context.cancel.Check());
    Batch batch;
    if (auto read = reader.ReadNext(&batch); !read.ok()) return columnar::FromArrow(read);
    if (batch == nullptr) break;
    SHEAF_TRY(upload->Write(std::move(batch)));
  }
  return upload->Commit();
}

Result<std::vector<Json>> LocalFlights::Do(std::string_view action, const Json& body,
                                           const flights::Context& context) {
  return actions_.Do(action, body, context);
}

Result<std::vector<flights::Listed>> LocalFlights::List(const Path& prefix, const Path& after,
                                                        size_t limit, const flights::Context&) {
  std::vector<flights::Listed> list;
  for (const auto& found : engine_.store().List(prefix, after, limit)) {
    list.push_back({found.record->path, found.flight->schema(), found.record->rows,
                    found.record->bytes, FlightMetadata(*found.record)});
  }
  for (OwnFlight& own : engine_.own().All()) {
    if (!prefix.empty() && !own.path.StartsWith(prefix)) continue;
    if (!after.empty() && own.path <= after) continue;
    const Json metadata = OwnMetadata(own.path);
    list.push_back({std::move(own.path), std::move(own.schema), -1, -1, metadata});
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  if (list.size() > limit) list.resize(limit);
  return list;
}

}  // namespace sheaf::tasks
