#include "sheaf/services/files/scan.h"

#include <arrow/api.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "sheaf/services/files/bounded_pool.h"
#include "sheaf/services/files/errors.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

constexpr int64_t kStepRows = 65'536;  // Filtered at once, so that a cancel is seen.

// One run, shared by its threads. The helper keeps it alive, not what it borrows: see gate.
class Run {
 public:
  Run(const Spec& spec, const Found& found, module::ResultWriter& writer,
      const module::RunContext& context, const ScanEnvironment& environment)
      : spec_(spec), found_(found), writer_(writer), context_(context), environment_(environment) {
    for (const FoundFile& file : found.files) bytes_total_ += file.size;
  }

  Status Begin() {
    SHEAF_ASSIGN(auto first, Open(0, nullptr));
    SHEAF_ASSIGN(auto shape, MakeShape(spec_, first.reader->schema(), found_.files.size() > 1));
    shape_ = std::move(shape);
    partitions_ = static_cast<uint32_t>(std::min<size_t>(found_.files.size(), kPartitionsMax));
    SHEAF_TRY(writer_.Begin(shape_->output, partitions_));
    first_ = std::move(first);
    return Done();
  }

  // Takes partitions until none is left or somebody failed.
  void Work() {
    while (!stop_.load(std::memory_order_relaxed)) {
      const uint32_t partition = next_.fetch_add(1);
      if (partition >= partitions_) return;
      Status status = Unthrown([&] { return ReadPartition(partition); });
      if (!status.ok()) Stop(std::move(status).error());
    }
  }

  // For the helper: nothing once the caller has gone.
  void Help() {
    const Gate::Pass pass = gate_.Enter();
    if (pass) Work();
  }

  Status End() {
    gate_.Close();
    MutexLock lock(mutex_);
    if (error_.has_value()) return *error_;
    return Done();
  }

  uint32_t partitions() const { return partitions_; }

 private:
  // An open file and what its reading needs.
  struct Source {
    std::shared_ptr<BoundedPool> pool;
    std::shared_ptr<SourceFile> file;
    std::unique_ptr<Reader> reader;
  };

  void Stop(Error error) {
    MutexLock lock(mutex_);
    if (!error_.has_value()) error_ = std::move(error);
    stop_ = true;
  }

  Result<Source> Open(size_t number, Schema expected) {
    const Bytes growth =
        context_.memory_max.has_value() ? std::min(*context_.memory_max, kGrowthMax) : kGrowthMax;
    Source source;
    source.pool = std::make_shared<BoundedPool>(context_.account, growth);
    const ReadContext reading{context_.cancel, context_.deadline, &environment_.clock, source.pool,
                              &environment_.probe};
    const FoundFile& file = found_.files[number];
    SHEAF_ASSIGN(source.file, SourceFile::Open(file, reading));
    const ReadPlan plan = PlanOf(spec_, file, found_.files.front(), std::move(expected));
    SHEAF_ASSIGN(source.reader, OpenReader(source.file, plan));
    return source;
  }

  Status ReadPartition(uint32_t partition) {
    const size_t count = found_.files.size();
    const size_t begin = count * partition / partitions_;
    const size_t end = count * (partition + 1) / partitions_;
    for (size_t number = begin; number < end; ++number) SHEAF_TRY(ReadFile(partition, number));
    return Done();
  }

  Status ReadFile(uint32_t partition, size_t number) {
    const FoundFile& file = found_.files[number];
    Source source;
    if (number == 0) {
      source = std::move(first_);  // Only the thread that drew partition 0 comes here.
    } else {
      SHEAF_ASSIGN(source, Open(number, shape_->file));
    }
    SHEAF_ASSIGN(const auto columns, MatchColumns(*shape_, source.reader->schema(), file.name,
                                                  found_.files.front().name));
    SHEAF_TRY(source.reader->Select(columns, shape_->filter));
    Pinner pinner(source.pool);
    int64_t reported = 0;
    while (true) {
      SHEAF_TRY(source.file->context().Check());
      if (stop_.load(std::memory_order_relaxed)) return Done();
      SHEAF_ASSIGN(const Batch batch, source.reader->Next());
      if (batch == nullptr) break;
      if (Status valid = columnar::ValidateForeign(*batch); !valid.ok()) {
        return Damaged(file.name, "", valid.error().message);
      }
      SHEAF_TRY(Give(partition, batch, source, pinner));
      const auto now = static_cast<int64_t>(source.reader->done() * static_cast<double>(file.size));
      Report(now - reported);
      reported = now;
    }
    Report(file.size - reported);
    return source.file->CheckUnchanged(file);
  }

  // Filters, projects and writes one batch of the reader's.
  Status Give(uint32_t partition, const Batch& batch, const Source& source, Pinner& pinner) {
    const int64_t step = shape_->filter.empty() ? batch->num_rows() : kStepRows;
    for (int64_t row = 0; row < batch->num_rows(); row += step) {
      SHEAF_TRY(source.file->context().Check());
      const Batch slice = step >= batch->num_rows() ? batch : batch->Slice(row, step);
      SHEAF_ASSIGN(const Batch kept, shape_->filter.Apply(slice, source.pool.get()));
      if (kept->num_rows() == 0) continue;
      auto columns = kept->columns();
      columns.resize(static_cast<size_t>(shape_->output->num_fields()));
      const Batch output =
          arrow::RecordBatch::Make(shape_->output, kept->num_rows(), std::move(columns));
      environment_.probe.rows.Add(static_cast<double>(output->num_rows()));
      SHEAF_TRY(writer_.Write(partition, pinner.Pin(output)));
    }
    source.pool->Settle();
    return Done();
  }

  void Report(int64_t bytes) {
    const int64_t done = bytes_done_.fetch_add(bytes) + bytes;
    if (bytes_total_ <= 0) return;
    const double share =
        std::clamp(static_cast<double>(done) / static_cast<double>(bytes_total_), 0.0, 1.0);
    MutexLock lock(mutex_);
    if (share < reported_ + 0.01 && share < 1.0) return;
    reported_ = share;
    context_.progress(share);
  }

  const Spec& spec_;  // All borrowed for the call of Scan.
  const Found& found_;
  module::ResultWriter& writer_;
  const module::RunContext& context_;
  const ScanEnvironment& environment_;

  std::optional<Shape> shape_;  // Set by Begin, then only read.
  Source first_;
  uint32_t partitions_ = 0;
  int64_t bytes_total_ = 0;
  std::atomic<uint32_t> next_{0};
  std::atomic<bool> stop_{false};
  std::atomic<int64_t> bytes_done_{0};
  Mutex mutex_;
  std::optional<Error> error_ SHEAF_GUARDED_BY(mutex_);
  double reported_ SHEAF_GUARDED_BY(mutex_) = 0;
  Gate gate_;
};

// The sum, or -1 when either is unknown or it does not fit.
int64_t Sum(int64_t a, int64_t b) {
  int64_t sum = 0;
  return a < 0 || b < 0 || __builtin_add_overflow(a, b, &sum) ? -1 : sum;
}

Result<Outlook> Look(const Spec& spec, const Found& found, const ReadContext& context,
                     const std::shared_ptr<Account>& account, size_t checked) {
  std::optional<Outlook> outlook;
  int64_t rows = 0, bytes = 0;
  const FoundFile& first = found.files.front();
  const size_t looked = std::min(found.files.size(), std::max<size_t>(checked, 1));
  for (size_t n = 0; n < looked; ++n) {
    ReadContext own = context;
    own.pool = std::make_shared<BoundedPool>(account, kGrowthMax);
    const FoundFile& file = found.files[n];
    SHEAF_ASSIGN(const auto source, SourceFile::Open(file, own));
    const Schema expected = outlook.has_value() ? outlook->shape.file : nullptr;
    SHEAF_ASSIGN(const auto reader, OpenReader(source, PlanOf(spec, file, first, expected)));
    if (!outlook.has_value()) {
      outlook.emplace();
      SHEAF_ASSIGN(outlook->shape, MakeShape(spec, reader->schema(), found.files.size() > 1));
    }
    SHEAF_ASSIGN(const auto columns,
                 MatchColumns(outlook->shape, reader->schema(), file.name, first.name));
    SHEAF_TRY(reader->Select(columns, outlook->shape.filter));
    rows = Sum(rows, reader->rows());
    bytes = Sum(bytes, reader->bytes());
    outlook->alike_elsewhere = outlook->alike_elsewhere && reader->AlikeElsewhere();
  }
  if (looked == found.files.size()) {
    outlook->rows = rows;
    outlook->bytes = bytes;
  }
  return std::move(*outlook);
}

}  // namespace

Result<Shape> MakeShape(const Spec& spec, const Schema& file, bool several) {
  Shape shape;
  shape.file = file;
  shape.columns = spec.columns;
  if (spec.columns.empty()) shape.columns = file->field_names();
  arrow::FieldVector fields;
  for (size_t n = 0; n < shape.columns.size(); ++n) {
    auto field = file->GetFieldByName(shape.columns[n]);
    if (field == nullptr) {
      return UnknownColumn("spec.columns[" + std::to_string(n) + "]", shape.columns[n], *file);
    }
    fields.push_back(several ? field->WithNullable(true) : std::move(field));
  }
  shape.output = arrow::schema(std::move(fields));
  SHEAF_ASSIGN(shape.filter, Filter::Make(spec.filter, *file));
  for (const std::string& column : shape.filter.columns()) {
    const bool there =
        std::find(shape.columns.begin(), shape.columns.end(), column) != shape.columns.end();
    if (!there) shape.columns.push_back(column);
  }
  return shape;
}

Result<std::vector<int>> MatchColumns(const Shape& shape, const Schema& schema,
                                      const std::string& name, const std::string& first) {
  for (const auto& field : shape.file->fields()) {
    const auto other = schema->GetFieldByName(field->name());
    if (other == nullptr) return MissingColumn(name, field->name(), first);
    if (!other->type()->Equals(*field->type())) {
      return OtherType(name, field->name(), other->type()->ToString(), first,
                       field->type()->ToString());
    }
  }
  for (const auto& field : schema->fields()) {
    if (shape.file->GetFieldByName(field->name()) == nullptr) {
      return ExtraColumn(name, field->name(), first);
    }
  }
  std::vector<int> columns;
  for (const std::string& column : shape.columns) columns.push_back(schema->GetFieldIndex(column));
  return columns;
}

ReadPlan PlanOf(const Spec& spec, const FoundFile& file, const FoundFile& first, Schema expected) {
  ReadPlan plan;
  plan.name = file.name;
  plan.facts = file.facts;
  plan.options = spec.options;
  if (!plan.options.delimiter.has_value() && file.facts.tabs) plan.options.delimiter = '\t';
  plan.expected = std::move(expected);
  plan.first = first.name;
  return plan;
}

Status Scan(const Spec& spec, const Found& found, module::ResultWriter& writer,
            const module::RunContext& context, const ScanEnvironment& environment) {
  const auto run = std::make_shared<Run>(spec, found, writer, context, environment);
  SHEAF_TRY(Unthrown([&] { return run->Begin(); }));
  if (run->partitions() > 1) {
    // Refused: every helper is busy, this thread does it all.
    [[maybe_unused]] const bool helped = environment.helpers.TryPost([run] { run->Help(); });
  }
  run->Work();
  return run->End();
}

Result<Outlook> LookAhead(const Spec& spec, const Found& found, const ReadContext& context,
                          const std::shared_ptr<Account>& account, size_t checked) {
  return Unthrown([&] { return Look(spec, found, context, account, checked); });
}

}  // namespace sheaf::files
