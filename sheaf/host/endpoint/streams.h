// Streams between the protocol and the house: what DoGet sends, what DoPut feeds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "sheaf/host/endpoint/core.h"

namespace sheaf::endpoint {

// What header sheaf-compression asks for; kInvalid names it.
Result<flight::Compression> CompressionFromHeaders(const flight::Call& call);

// A flight being read, as DoGet sends it.
class BatchStream final : public flight::GetStream {
 public:
  BatchStream(RequestPtr request, Probe& probe, flight::Compression compression,
              tasks::OpenedStream opened)
      : request_(std::move(request)),
        probe_(probe),
        compression_(compression),
        opened_(std::move(opened)) {}
  ~BatchStream() override;
  std::shared_ptr<arrow::Schema> schema() const override { return opened_.schema; }
  std::string schema_metadata() const override { return opened_.metadata.dump(); }
  flight::Compression compression() const override { return compression_; }
  Result<Step> Next(std::function<void()> wake) override;

 private:
  const RequestPtr request_;  // Shared with the call's callbacks.
  Probe& probe_;              // Borrowed from the endpoint.
  const flight::Compression compression_;
  tasks::OpenedStream opened_;
  bool over_ = false;  // Its end or its error was given out.
};

// When a clean half-close commits (contract, section 4).
struct CommitRule {
  std::optional<int64_t> rows;  // sheaf-rows: exactly so many, or nothing.
  enum class Mode : uint8_t { kClose, kExplicit } mode = Mode::kClose;

  // From the call's headers; kInvalid names the header.
  static Result<CommitRule> FromHeaders(const flight::Call& call);
};

// An upload being received. Commits once, by its rule, or leaves nothing.
class UploadStream final : public flight::PutStream {
 public:
  UploadStream(RequestPtr request, Probe& probe, CommitRule rule,
               std::unique_ptr<tasks::Upload> upload)
      : request_(std::move(request)), probe_(probe), rule_(rule), upload_(std::move(upload)) {}

  Status Write(std::shared_ptr<arrow::RecordBatch> batch, std::string app_metadata) override;
  Status Metadata(std::string app_metadata) override;
  Result<std::string> End() override;
  void Abort(Error reason) override;

 private:
  Status Failed(Error error);

  const RequestPtr request_;
  Probe& probe_;
  const CommitRule rule_;
  std::unique_ptr<tasks::Upload> upload_;
  std::optional<int64_t> committed_rows_;  // Of {"commit": {"rows": N}}.
};

}  // namespace sheaf::endpoint
