#include "sheaf/wire/columnar/batch.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compare.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sheaf/wire/columnar/arrow_error.h"
#include "sheaf/wire/columnar/sizes.h"
#include "sheaf/wire/columnar/trim.h"

namespace sheaf::columnar {
namespace {

// More small batches than this are not held, however small they are: each costs memory of its own.
constexpr size_t kGatherBatchesMax = 4096;
// IPC's own limit on the rows of a batch.
constexpr int64_t kRowsMax = std::numeric_limits<int32_t>::max();

void Collect(const arrow::ArrayData& data, std::set<const arrow::Buffer*>& roots) {
  for (const auto& buffer : data.buffers) {
    if (buffer == nullptr) continue;
    const arrow::Buffer* root = buffer.get();
    while (root->parent() != nullptr) root = root->parent().get();
    roots.insert(root);
  }
  for (const auto& child : data.child_data) {
    if (child != nullptr) Collect(*child, roots);
  }
  if (data.dictionary != nullptr) Collect(*data.dictionary, roots);
}

// True when both see the same dictionaries, so that indices mean the same in both.
bool SameDictionaries(const arrow::ArrayData& a, const arrow::ArrayData& b) {
  if (a.dictionary != b.dictionary) {
    if (a.dictionary == nullptr || b.dictionary == nullptr) return false;
    if (!arrow::MakeArray(a.dictionary)->Equals(*arrow::MakeArray(b.dictionary))) return false;
  }
  if (a.child_data.size() != b.child_data.size()) return false;
  for (size_t i = 0; i < a.child_data.size(); ++i) {
    if (!SameDictionaries(*a.child_data[i], *b.child_data[i])) return false;
  }
  return true;
}

bool Mergeable(const arrow::RecordBatch& a, const arrow::RecordBatch& b) {
  if (a.schema() != b.schema() && !a.schema()->Equals(*b.schema(), /*check_metadata=*/true)) {
    return false;
  }
  for (int i = 0; i < a.num_columns(); ++i) {
    if (!SameDictionaries(*a.column_data(i), *b.column_data(i))) return false;
  }
  return true;
}

struct Measured {
  Batch batch;
  int64_t bytes;
};

// The slice as it would travel, and the bytes of its message.
Result<Measured> MessageOf(Batch slice, int64_t message_bytes) {
  const Sizes sizes = Measure(*slice);
  const int64_t most = sizes.message_bytes_most();
  if (!sizes.loose && most <= message_bytes) {
    return Measured{std::move(slice), most};
  }
  int64_t bytes = 0;
  SHEAF_ARROW_TRY(Kind::kUnsupported, arrow::ipc::GetRecordBatchSize(*slice, &bytes));
  if (bytes <= message_bytes || !sizes.wasteful()) return Measured{std::move(slice), bytes};
  SHEAF_ASSIGN(slice, Trim(slice));
  SHEAF_ARROW_TRY(Kind::kUnsupported, arrow::ipc::GetRecordBatchSize(*slice, &bytes));
  return Measured{std::move(slice), bytes};
}

}  // namespace

Bytes TrueBytes(const arrow::RecordBatch& batch) {
  const Sizes sizes = Measure(batch);
  return {sizes.rows_bytes + sizes.dictionary_bytes};
}

Bytes HeldBytes(const arrow::RecordBatch& batch) {
  std::set<const arrow::Buffer*> roots;
  for (int i = 0; i < batch.num_columns(); ++i) Collect(*batch.column_data(i), roots);
  // Several Buffer objects may stand for one memory; the largest tells.
  std::map<uintptr_t, int64_t> sizes;
  for (const arrow::Buffer* root : roots) {
    int64_t& size = sizes[root->address()];
    size = std::max(size, root->capacity());
  }
  Bytes held;
  for (const auto& [address, size] : sizes) held += {size};
  return held;
}

Result<std::vector<Batch>> CutToLimit(const Batch& batch, int64_t message_bytes) {
  SHEAF_CHECK(message_bytes > 0);
  const int64_t rows = batch->num_rows();
  const Sizes sizes = Measure(*batch);
  if (rows == 0) {  // Its message may be large all the same: it may be a slice.
    SHEAF_ASSIGN(auto piece, MessageOf(batch, message_bytes));
    return std::vector<Batch>{std::move(piece.batch)};
  }
  if (!sizes.loose && sizes.message_bytes_most() <= message_bytes && rows <= kRowsMax) {
    return std::vector<Batch>{batch};
  }
  // As even as the mean row allows: `pieces` of `step` rows, each shrunk until its message fits.
  const int64_t pieces = std::clamp<int64_t>(sizes.rows_bytes / message_bytes + 1, 1, rows);
  const int64_t step = std::min((rows + pieces - 1) / pieces, kRowsMax);
  std::vector<Batch> cut;
  for (int64_t at = 0; at < rows;) {
    int64_t take = std::min(step, rows - at);
    for (;;) {
      SHEAF_ASSIGN(auto piece,
                   MessageOf(take == rows ? batch : batch->Slice(at, take), message_bytes));
      if (piece.bytes <= message_bytes || take == 1) {
        cut.push_back(std::move(piece.batch));
        break;
      }
      take /= 2;
    }
    at += take;
  }
  return cut;
}

Result<std::vector<Batch>> Gatherer::Add(Batch batch, Instant now) {
  std::vector<Batch> ready;
  const Bytes bytes = TrueBytes(*batch);
  const bool passes = bytes.count >= target_.count / 2;
  const bool joins = !passes && !held_.empty() && held_bytes_ + bytes <= target_ &&
                     held_.size() < kGatherBatchesMax && Mergeable(*held_.front(), *batch);
  if (!joins) {
    SHEAF_ASSIGN(ready, Flush());
  }
  if (passes) {
    ready.push_back(std::move(batch));
    return ready;
  }
  if (held_.empty()) since_ = now;
  held_.push_back(std::move(batch));
  held_bytes_ += bytes;
  return ready;
}

Result<std::vector<Batch>> Gatherer::Due(Instant now) {
  if (held_.empty() || now - since_ < kGatherWait) return std::vector<Batch>{};
  return Flush();
}

Result<std::vector<Batch>> Gatherer::Flush() {
  std::vector<Batch> held = std::exchange(held_, {});
  held_bytes_ = {};
  if (held.size() <= 1) return held;
  if (Measure(*held.front()).loose) {  // Concatenating would copy what is unseen, too.
    for (Batch& batch : held) {
      SHEAF_ASSIGN(batch, Trim(batch));
    }
  }
  SHEAF_ARROW_ASSIGN(Batch merged, Kind::kExhausted, arrow::ConcatenateRecordBatches(held));
  const Sizes sizes = Measure(*merged);
  if (sizes.view_bytes < sizes.view_bytes_whole / 2) {
    SHEAF_ASSIGN(merged, Trim(merged));
  }
  return std::vector<Batch>{std::move(merged)};
}

Status ValidateForeign(const arrow::RecordBatch& batch) {
  const arrow::Schema& schema = *batch.schema();
  if (batch.num_columns() != schema.num_fields()) {
    return Fail(Kind::kInvalid, "a batch of " + std::to_string(batch.num_columns()) +
                                    " columns under a schema of " +
                                    std::to_string(schema.num_fields()));
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = schema.field(i);
    const auto bad = [&](const std::string& why) {
      return Fail(Kind::kInvalid,
                  "column " + std::to_string(i) + " '" + field->name().substr(0, 80) + "': " + why);
    };
    const auto& data = batch.column_data(i);
    if (data->length != batch.num_rows()) {
      return bad("has " + std::to_string(data->length) + " rows, the batch " +
                 std::to_string(batch.num_rows()));
    }
    if (!data->type->Equals(*field->type())) {
      return bad("is " + data->type->ToString() + ", the schema says " + field->type()->ToString());
    }
    if (const arrow::Status status = batch.column(i)->ValidateFull(); !status.ok()) {
      return bad(status.message());
    }
  }
  return Done();
}

}  // namespace sheaf::columnar
