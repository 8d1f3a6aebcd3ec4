#include "sheaf/host/endpoint/streams.h"

#include <arrow/record_batch.h>

#include <charconv>

namespace sheaf::endpoint {

Result<flight::Compression> CompressionFromHeaders(const flight::Call& call) {
  const auto text = call.Header("sheaf-compression");
  if (!text.has_value()) return flight::Compression::kNone;
  if (*text == "lz4") return flight::Compression::kLz4;
  if (*text == "zstd") return flight::Compression::kZstd;
  return Fail(Kind::kInvalid, "header sheaf-compression: '" + text->substr(0, 40) +
                                  "' is not known; known: lz4, zstd");
}

// A stream that was cut is told so in the call's line.
BatchStream::~BatchStream() {
  if (over_) return;
  auto alive = request_->context().cancel.Check();
  static_cast<void>(request_->Failed(
      alive.ok() ? Fail(Kind::kCancelled, "the client broke off") : std::move(alive).error()));
}

Result<flight::GetStream::Step> BatchStream::Next(std::function<void()> wake) {
  auto next = opened_.reader->Next(std::move(wake));
  over_ = !next.ok() || next->what == store::FlightReader::Step::What::kEnd;
  if (!next.ok()) return request_->Failed(std::move(next).error());
  using What = store::FlightReader::Step::What;
  switch (next->what) {
    case What::kEnd: return Step{Step::What::kEnd, nullptr};
    case What::kPending: return Step{Step::What::kPending, nullptr};
    case What::kBatch: break;
  }
  const int64_t bytes = columnar::TrueBytes(*next->batch).count;
  request_->Sent(next->batch->num_rows(), bytes);
  probe_.sent_rows.Add(static_cast<double>(next->batch->num_rows()));
  probe_.sent_bytes.Add(static_cast<double>(bytes));
  return Step{Step::What::kBatch, std::move(next->batch)};
}

Result<CommitRule> CommitRule::FromHeaders(const flight::Call& call) {
  CommitRule rule;
  if (const auto text = call.Header("sheaf-rows")) {
    int64_t rows = -1;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), rows);
    if (code != std::errc() || end != text->data() + text->size() || rows < 0) {
      return Fail(Kind::kInvalid, "header sheaf-rows: '" + text->substr(0, 40) +
                                      "' is not a count of rows");
    }
    rule.rows = rows;
  }
  if (const auto text = call.Header("sheaf-commit")) {
    if (*text != "explicit") {
      return Fail(Kind::kInvalid, "header sheaf-commit: '" + text->substr(0, 40) +
                                      "' is not known; the one value is 'explicit'");
    }
    rule.mode = Mode::kExplicit;
  }
  return rule;
}

Status UploadStream::Failed(Error error) {
  Error told = request_->Failed(std::move(error));
  upload_->Abort(told);
  return told;
}

Status UploadStream::Write(std::shared_ptr<arrow::RecordBatch> batch, std::string app_metadata) {
  if (committed_rows_.has_value()) {
    return Failed(Fail(Kind::kInvalid, "a batch came after the commit message"));
  }
  const int64_t rows = batch->num_rows();
  if (auto written = upload_->Write(std::move(batch)); !written.ok()) {
    return Failed(std::move(written).error());
  }
  request_->Sent(rows, 0);
  probe_.received_rows.Add(static_cast<double>(rows));
  return app_metadata.empty() ? Done() : Metadata(std::move(app_metadata));
}

// {"commit": {"rows": N}} or {"abort": true}; anything else only where nobody asked for more.
Status UploadStream::Metadata(std::string app_metadata) {
  const bool is_explicit = rule_.mode == CommitRule::Mode::kExplicit;
  auto parsed = command::ParseJson(app_metadata, {.bytes_max = 65'536});
  if (!parsed.ok() || !parsed->is_object()) {
    if (!is_explicit) return Done();
    return Failed(Fail(Kind::kInvalid,
                       "a metadata message must be {\"commit\": {\"rows\": N}} or "
                       "{\"abort\": true}"));
  }
  if (parsed->contains("abort") && (*parsed)["abort"] == true) {
    return Failed(Fail(Kind::kCancelled, "the upload was given up by its client"));
  }
  if (!parsed->contains("commit")) {
    if (!is_explicit) return Done();
    return Failed(Fail(Kind::kInvalid, "a metadata message without \"commit\" or \"abort\""));
  }
  const Json& commit = (*parsed)["commit"];
  if (!commit.is_object() || !commit.contains("rows") || !commit["rows"].is_number_integer() ||
      commit["rows"].get<int64_t>() < 0) {
    return Failed(Fail(Kind::kInvalid, "\"commit\" must be {\"rows\": N}"));
  }
  committed_rows_ = commit["rows"].get<int64_t>();
  return Done();
}

Result<std::string> UploadStream::End() {
  const int64_t rows = upload_->rows();
  if (rule_.mode == CommitRule::Mode::kExplicit && !committed_rows_.has_value()) {
    return Failed(Fail(Kind::kCancelled,
                       "the stream ended without {\"commit\": {\"rows\": N}}, which header "
                       "sheaf-commit: explicit asks for; nothing was kept"))
        .error();
  }
  for (const auto& wanted : {rule_.rows, committed_rows_}) {
    if (!wanted.has_value() || *wanted == rows) continue;
    return Failed(Fail(Kind::kInvalid,
                       "the client says " + std::to_string(*wanted) + " rows and " +
                           std::to_string(rows) + " came; nothing was kept",
                       Json{{"expected", *wanted}, {"received", rows}}.dump()))
        .error();
  }
  auto receipt = upload_->Commit();
  if (!receipt.ok()) return request_->Failed(std::move(receipt).error());
  return Json{{"rows", receipt->rows},
              {"bytes", receipt->bytes},
              {"generation", receipt->generation},
              {"durable", receipt->durable}}
      .dump();
}

void UploadStream::Abort(Error reason) { (void)Failed(std::move(reason)); }

}  // namespace sheaf::endpoint
