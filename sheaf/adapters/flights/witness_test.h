// A stock Flight server that does as a test says and remembers what it was told.
#pragma once

#include <arrow/api.h>
#include <arrow/flight/server.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/wire/command/command.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf::flights::testing {

namespace fl = arrow::flight;

inline std::shared_ptr<arrow::Schema> NumbersSchema() {
  return arrow::schema({arrow::field("n", arrow::int64()), arrow::field("twice", arrow::int64())});
}

inline Batch Numbers(int64_t from, int64_t count) {
  arrow::Int64Builder n;
  arrow::Int64Builder twice;
  for (int64_t i = from; i < from + count; ++i) {
    EXPECT_TRUE(n.Append(i).ok());
    EXPECT_TRUE(twice.Append(2 * i).ok());
  }
  return arrow::RecordBatch::Make(NumbersSchema(), count, {*n.Finish(), *twice.Finish()});
}

// An error as the real server sends it.
inline arrow::Status Said(Kind kind, const std::string& message, const std::string& details = "",
                          Effect effect = Effect::kNone) {
  Error error{kind, effect, message, details};
  const auto code =
      kind == Kind::kPoll ? fl::FlightStatusCode::TimedOut : fl::FlightStatusCode::Internal;
  return fl::MakeFlightError(code, message, command::ErrorJson(error));
}

class Witness final : public fl::FlightServerBase {
 public:
  using Headers = std::map<std::string, std::string>;
  struct Script {
    std::function<arrow::Result<std::vector<std::string>>(const std::string&)> info =
        [](const std::string&) { return arrow::Status::NotImplemented("info"); };
    std::function<arrow::Result<std::vector<Batch>>(const std::string&)> get =
        [](const std::string&) { return arrow::Status::NotImplemented("get"); };
    std::function<arrow::Status()> on_open_put = [] { return arrow::Status::OK(); };
    std::function<arrow::Status()> on_commit = [] { return arrow::Status::OK(); };
    std::function<arrow::Result<std::vector<std::string>>(const std::string&, const std::string&)>
        action = [](const std::string&, const std::string&) {
          return arrow::Result<std::vector<std::string>>(std::vector<std::string>{});
        };
  };

  explicit Witness(Script script) : script_(std::move(script)) {
    fl::FlightServerOptions options(*fl::Location::ForGrpcTcp("127.0.0.1", 0));
    EXPECT_TRUE(Init(options).ok());
  }
  ~Witness() override {
    EXPECT_TRUE(Shutdown().ok());
    MutexLock lock(mutex_);  // After the last call, for those who cannot see into the server.
  }
  std::string uri() const { return "grpc://127.0.0.1:" + std::to_string(port()); }

  // What was asked, in order: "info {…}", "get …", "put …", "message …", "action NAME {…}".
  std::vector<std::string> told() const {
    MutexLock lock(mutex_);
    return told_;
  }
  bool WasTold(const std::string& prefix) const {
    for (const auto& line : told()) {
      if (line.starts_with(prefix)) return true;
    }
    return false;
  }
  Headers headers() const {
    MutexLock lock(mutex_);
    return headers_;
  }
  int64_t put_rows() const { return put_rows_.load(); }
  Event release;  // Streams end only after it when `hold_streams` is set.
  std::atomic<bool> hold_streams{false};

  arrow::Status GetFlightInfo(const fl::ServerCallContext& context,
                              const fl::FlightDescriptor& asked,
                              std::unique_ptr<fl::FlightInfo>* info) override {
    const std::string text = asked.type == fl::FlightDescriptor::PATH ? asked.path[0] : asked.cmd;
    Tell("info " + text, context);
    ARROW_ASSIGN_OR_RAISE(auto tickets, script_.info(text));
    std::vector<fl::FlightEndpoint> endpoints;
    for (const auto& ticket : tickets) endpoints.push_back({{ticket}, {}, {}, {}});
    ARROW_ASSIGN_OR_RAISE(auto made,
                          fl::FlightInfo::Make(*NumbersSchema(), asked, endpoints, -1, -1, true,
                                               R"({"task":"t1","hit":false})"));
    *info = std::make_unique<fl::FlightInfo>(std::move(made));
    return arrow::Status::OK();
  }

  arrow::Status DoGet(const fl::ServerCallContext& context, const fl::Ticket& ticket,
                      std::unique_ptr<fl::FlightDataStream>* stream) override {
    Tell("get " + ticket.ticket, context);
    ARROW_ASSIGN_OR_RAISE(auto batches, script_.get(ticket.ticket));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::MakeFromIterator(
                                           Iterate(std::move(batches)), NumbersSchema()));
    *stream = std::make_unique<fl::RecordBatchStream>(std::move(reader));
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const fl::ServerCallContext& context,
                      std::unique_ptr<fl::FlightMessageReader> reader,
                      std::unique_ptr<fl::FlightMetadataWriter> writer) override {
    Tell("put " + reader->descriptor().cmd, context);
    ARROW_RETURN_NOT_OK(script_.on_open_put());
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto chunk, reader->Next());
      if (chunk.data == nullptr && chunk.app_metadata == nullptr) break;
      if (chunk.data != nullptr) put_rows_ += chunk.data->num_rows();
      if (chunk.app_metadata != nullptr) Tell("message " + chunk.app_metadata->ToString(), context);
    }
    if (WasTold("message {\"abort\"")) return Said(Kind::kCancelled, "aborted");
    ARROW_RETURN_NOT_OK(script_.on_commit());
    return writer->WriteMetadata(*arrow::Buffer::FromString(
        R"({"rows":)" + std::to_string(put_rows_) +
        R"(,"bytes":80,"generation":9223372036854775807,"durable":true})"));
  }

  arrow::Status DoAction(const fl::ServerCallContext& context, const fl::Action& action,
                         std::unique_ptr<fl::ResultStream>* result) override {
    const std::string body = action.body == nullptr ? "" : action.body->ToString();
    const bool ours = action.type != fl::ActionType::kCancelFlightInfo.type;
    Tell("action " + action.type + (ours ? " " + body : ""), context);
    std::vector<fl::Result> results;
    if (ours) {
      ARROW_ASSIGN_OR_RAISE(auto answers, script_.action(action.type, body));
      for (const auto& answer : answers) {
        results.push_back(fl::Result(arrow::Buffer::FromString(answer)));
      }
    } else {
      fl::CancelFlightInfoResult cancelled{fl::CancelStatus::kCancelled};
      ARROW_ASSIGN_OR_RAISE(auto bytes, cancelled.SerializeToString());
      results.push_back(fl::Result(arrow::Buffer::FromString(bytes)));
    }
    *result = std::make_unique<fl::SimpleResultStream>(std::move(results));
    return arrow::Status::OK();
  }

  arrow::Status ListFlights(const fl::ServerCallContext& context, const fl::Criteria* criteria,
                            std::unique_ptr<fl::FlightListing>* listings) override {
    Tell("list " + (criteria == nullptr ? "" : criteria->expression), context);
    ARROW_ASSIGN_OR_RAISE(
        auto info, fl::FlightInfo::Make(*NumbersSchema(), fl::FlightDescriptor::Path({"a", "b"}),
                                        {}, 7, 99, false, R"({"generation":4})"));
    *listings = std::make_unique<fl::SimpleFlightListing>(std::vector<fl::FlightInfo>{info});
    return arrow::Status::OK();
  }

  arrow::Status GetSchema(const fl::ServerCallContext& context, const fl::FlightDescriptor& asked,
                          std::unique_ptr<fl::SchemaResult>* schema) override {
    Tell("schema " + asked.cmd, context);
    return fl::SchemaResult::Make(*NumbersSchema()).Value(schema);
  }

 private:
  arrow::Iterator<Batch> Iterate(std::vector<Batch> batches) {
    auto left = std::make_shared<std::vector<Batch>>(batches.rbegin(), batches.rend());
    return arrow::MakeFunctionIterator([this, left]() -> arrow::Result<Batch> {
      if (left->empty()) {
        if (hold_streams) release.Wait();
        return Batch();
      }
      Batch next = left->back();
      left->pop_back();
      return next;
    });
  }
  void Tell(std::string line, const fl::ServerCallContext& context) {
    MutexLock lock(mutex_);
    told_.push_back(std::move(line));
    for (const auto& [key, value] : context.incoming_headers()) {
      headers_[std::string(key)] = std::string(value);
    }
  }

  const Script script_;
  std::atomic<int64_t> put_rows_{0};
  mutable Mutex mutex_;
  std::vector<std::string> told_ SHEAF_GUARDED_BY(mutex_);
  Headers headers_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::flights::testing
