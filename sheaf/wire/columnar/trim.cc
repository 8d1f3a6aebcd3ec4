#include "sheaf/wire/columnar/trim.h"

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/ree_util.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#include "sheaf/wire/columnar/arrow_error.h"
#include "sheaf/wire/columnar/sizes.h"

namespace sheaf::columnar {
namespace {

using Data = std::shared_ptr<arrow::ArrayData>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;
using View = arrow::BinaryViewType::c_type;

const arrow::DataType& Storage(const arrow::DataType& type) {
  if (type.id() != arrow::Type::EXTENSION) return type;
  return Storage(*static_cast<const arrow::ExtensionType&>(type).storage_type());
}

template <typename T>
Result<BufferPtr> NewBuffer(int64_t count) {
  SHEAF_ARROW_ASSIGN(BufferPtr buffer, Kind::kExhausted,
                     arrow::AllocateBuffer(count * static_cast<int64_t>(sizeof(T))));
  return buffer;
}

// The range of a child's rows that is seen, from the values of offsets.
struct Range {
  int64_t first = std::numeric_limits<int64_t>::max();
  int64_t last = 0;
  void Add(int64_t at, int64_t count) {
    first = std::min(first, at);
    last = std::max(last, at + count);
  }
  int64_t start() const { return last == 0 ? 0 : first; }
  int64_t length() const { return last - start(); }
};

Result<Data> TrimArray(const arrow::ArrayData& data);

// The rows [start, start + length) of a child, trimmed.
Result<Data> TrimChild(const Data& child, int64_t start, int64_t length) {
  return TrimArray(*child->Slice(start, length));
}

// Trims one array into one whose offset is 0. Only for wasteful ones: where views share bytes so
// that a copy would be larger than the buffers, nothing is wasted.
class Trimmer {
 public:
  explicit Trimmer(const arrow::ArrayData& in)
      : in_(in), out_(std::make_shared<arrow::ArrayData>(in.type, in.length)) {}

  Result<Data> Run() {
    SHEAF_TRY(Validity());
    const arrow::DataType& type = Storage(*in_.type);
    switch (type.id()) {
      case arrow::Type::STRING_VIEW:
      case arrow::Type::BINARY_VIEW: SHEAF_TRY(Views()); break;
      case arrow::Type::STRING:
      case arrow::Type::BINARY: SHEAF_TRY(NoStrings<int32_t>()); break;
      case arrow::Type::LARGE_STRING:
      case arrow::Type::LARGE_BINARY: SHEAF_TRY(NoStrings<int64_t>()); break;
      case arrow::Type::LIST:
      case arrow::Type::MAP: SHEAF_TRY(Lists<int32_t>()); break;
      case arrow::Type::LARGE_LIST: SHEAF_TRY(Lists<int64_t>()); break;
      case arrow::Type::LIST_VIEW: SHEAF_TRY(ListViews<int32_t>()); break;
      case arrow::Type::LARGE_LIST_VIEW: SHEAF_TRY(ListViews<int64_t>()); break;
      case arrow::Type::FIXED_SIZE_LIST: {
        const int64_t size = static_cast<const arrow::FixedSizeListType&>(type).list_size();
        SHEAF_TRY(Children(in_.offset * size, in_.length * size));
        break;
      }
      case arrow::Type::STRUCT: SHEAF_TRY(Children(in_.offset, in_.length)); break;
      case arrow::Type::SPARSE_UNION:
        out_->buffers.push_back(arrow::SliceBuffer(in_.buffers[1], in_.offset, in_.length));
        SHEAF_TRY(Children(in_.offset, in_.length));
        break;
      case arrow::Type::DENSE_UNION:
        SHEAF_TRY(DenseUnion(static_cast<const arrow::UnionType&>(type)));
        break;
      case arrow::Type::RUN_END_ENCODED: SHEAF_TRY(RunEnds()); break;
      default: SHEAF_CHECK(!"a type of fixed width wastes nothing");
    }
    return std::move(out_);
  }

 private:
  Status Validity() {
    out_->null_count = in_.null_count.load();
    out_->buffers.push_back(nullptr);
    if (in_.buffers[0] == nullptr || in_.null_count.load() == 0) return Done();
    SHEAF_ARROW_ASSIGN(out_->buffers[0], Kind::kExhausted,
                       arrow::internal::CopyBitmap(arrow::default_memory_pool(),
                                                   in_.buffers[0]->data(), in_.offset, in_.length));
    return Done();
  }

  Status Children(int64_t start, int64_t length) {
    for (const Data& child : in_.child_data) {
      SHEAF_ASSIGN(Data trimmed, TrimChild(child, start, length));
      out_->child_data.push_back(std::move(trimmed));
    }
    return Done();
  }

  Status Views() {
    const View* views = in_.GetValues<View>(1);
    int64_t seen = 0;
    for (int64_t i = 0; i < in_.length; ++i) {
      if (in_.IsValid(i) && !views[i].is_inline()) seen += views[i].size();
    }
    const int64_t head_bytes = in_.length * static_cast<int64_t>(sizeof(View));
    if (seen > std::numeric_limits<int32_t>::max()) {  // One buffer does not reach so far.
      out_->buffers.push_back(arrow::SliceBuffer(
          in_.buffers[1], in_.offset * static_cast<int64_t>(sizeof(View)), head_bytes));
      out_->buffers.insert(out_->buffers.end(), in_.buffers.begin() + 2, in_.buffers.end());
      return Done();
    }
    SHEAF_ASSIGN(BufferPtr heap, NewBuffer<char>(seen));
    SHEAF_ASSIGN(BufferPtr heads, NewBuffer<View>(in_.length));
    std::memset(heads->mutable_data(), 0, static_cast<size_t>(head_bytes));
    View* out = heads->mutable_data_as<View>();
    int32_t filled = 0;
    for (int64_t i = 0; i < in_.length; ++i) {
      if (!in_.IsValid(i)) continue;
      out[i] = views[i];
      if (views[i].is_inline()) continue;
      const auto& source = *in_.buffers[2 + static_cast<size_t>(views[i].ref.buffer_index)];
      std::memcpy(heap->mutable_data() + filled, source.data() + views[i].ref.offset,
                  static_cast<size_t>(views[i].size()));
      out[i].ref.buffer_index = 0;
      out[i].ref.offset = filled;
      filled += views[i].size();
    }
    out_->buffers.push_back(std::move(heads));
    if (seen > 0) out_->buffers.push_back(std::move(heap));
    return Done();
  }

  // Strings waste offsets only when there are no rows.
  template <typename Offset>
  Status NoStrings() {
    SHEAF_CHECK(in_.length == 0);
    SHEAF_ASSIGN(BufferPtr offsets, NewBuffer<Offset>(1));
    *offsets->mutable_data_as<Offset>() = 0;
    SHEAF_ASSIGN(BufferPtr none, NewBuffer<char>(0));
    out_->buffers.push_back(std::move(offsets));
    out_->buffers.push_back(std::move(none));
    return Done();
  }

  template <typename Offset>
  Status Lists() {
    SHEAF_ASSIGN(BufferPtr rebased, NewBuffer<Offset>(in_.length + 1));
    Offset* out = rebased->mutable_data_as<Offset>();
    out[0] = 0;
    int64_t start = 0;
    if (in_.length > 0) {
      const Offset* offsets = in_.GetValues<Offset>(1);
      start = offsets[0];
      for (int64_t i = 1; i <= in_.length; ++i) out[i] = offsets[i] - offsets[0];
    }
    const int64_t length = out[in_.length];
    out_->buffers.push_back(std::move(rebased));
    return Children(start, length);
  }

  template <typename Offset>
  Status ListViews() {
    SHEAF_ASSIGN(BufferPtr starts, NewBuffer<Offset>(in_.length));
    SHEAF_ASSIGN(BufferPtr counts, NewBuffer<Offset>(in_.length));
    const Offset* in_starts = in_.GetValues<Offset>(1);
    const Offset* in_counts = in_.GetValues<Offset>(2);
    const auto seen = [&](int64_t i) { return in_.IsValid(i) && in_counts[i] > 0; };
    Range range;
    for (int64_t i = 0; i < in_.length; ++i) {
      if (seen(i)) range.Add(in_starts[i], in_counts[i]);
    }
    for (int64_t i = 0; i < in_.length; ++i) {
      starts->mutable_data_as<Offset>()[i] =
          seen(i) ? static_cast<Offset>(in_starts[i] - range.start()) : 0;
      counts->mutable_data_as<Offset>()[i] = seen(i) ? in_counts[i] : 0;
    }
    out_->buffers.push_back(std::move(starts));
    out_->buffers.push_back(std::move(counts));
    return Children(range.start(), range.length());
  }

  Status DenseUnion(const arrow::UnionType& type) {
    SHEAF_ASSIGN(BufferPtr rebased, NewBuffer<int32_t>(in_.length));
    const int8_t* codes = in_.GetValues<int8_t>(1);
    const int32_t* offsets = in_.GetValues<int32_t>(2);
    const auto child_of = [&](int64_t i) {
      return static_cast<size_t>(type.child_ids()[static_cast<size_t>(codes[i])]);
    };
    std::vector<Range> ranges(in_.child_data.size());
    for (int64_t i = 0; i < in_.length; ++i) ranges[child_of(i)].Add(offsets[i], 1);
    for (int64_t i = 0; i < in_.length; ++i) {
      rebased->mutable_data_as<int32_t>()[i] =
          static_cast<int32_t>(offsets[i] - ranges[child_of(i)].start());
    }
    out_->buffers.push_back(arrow::SliceBuffer(in_.buffers[1], in_.offset, in_.length));
    out_->buffers.push_back(std::move(rebased));
    for (size_t i = 0; i < ranges.size(); ++i) {
      SHEAF_ASSIGN(Data trimmed,
                   TrimChild(in_.child_data[i], ranges[i].start(), ranges[i].length()));
      out_->child_data.push_back(std::move(trimmed));
    }
    return Done();
  }

  Status RunEnds() {
    int64_t first = 0, count = 0;
    if (in_.length > 0) {
      std::tie(first, count) =
          arrow::ree_util::FindPhysicalRange(arrow::ArraySpan(in_), in_.offset, in_.length);
    }
    Data ends;
    switch (in_.child_data[0]->type->id()) {
      case arrow::Type::INT16: {
        SHEAF_ASSIGN(ends, RebasedEnds<int16_t>(first, count));
        break;
      }
      case arrow::Type::INT32: {
        SHEAF_ASSIGN(ends, RebasedEnds<int32_t>(first, count));
        break;
      }
      default: {
        SHEAF_ASSIGN(ends, RebasedEnds<int64_t>(first, count));
        break;
      }
    }
    SHEAF_ASSIGN(Data values, TrimChild(in_.child_data[1], first, count));
    out_->child_data = {std::move(ends), std::move(values)};
    return Done();
  }

  template <typename End>
  Result<Data> RebasedEnds(int64_t first, int64_t count) {
    SHEAF_ASSIGN(BufferPtr rebased, NewBuffer<End>(count));
    const arrow::ArrayData& ends = *in_.child_data[0];
    for (int64_t i = 0; i < count; ++i) {
      const int64_t end = ends.GetValues<End>(1)[first + i] - in_.offset;
      rebased->mutable_data_as<End>()[i] = static_cast<End>(std::min(end, in_.length));
    }
    return arrow::ArrayData::Make(ends.type, count, {nullptr, std::move(rebased)}, 0);
  }

  const arrow::ArrayData& in_;
  Data out_;
};

Result<Data> TrimArray(const arrow::ArrayData& data) {
  if (!Measure(data).wasteful()) return data.Copy();
  return Trimmer(data).Run();
}

}  // namespace

Result<Batch> Trim(const Batch& batch) {
  std::vector<Data> columns;
  columns.reserve(static_cast<size_t>(batch->num_columns()));
  for (int i = 0; i < batch->num_columns(); ++i) {
    SHEAF_ASSIGN(Data column, TrimArray(*batch->column_data(i)));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(batch->schema(), batch->num_rows(), std::move(columns));
}

}  // namespace sheaf::columnar
