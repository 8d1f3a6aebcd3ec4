#include "sheaf/wire/columnar/sizes.h"

#include <arrow/array/data.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/ree_util.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

namespace sheaf::columnar {
namespace {

// Less is within the padding that is counted for each buffer.
constexpr int64_t kIdleBytes = 64;

int64_t BitBytes(int64_t bits) { return (bits + 7) / 8; }

// Walks arrays by the range of rows that is really seen. `offset` counts from the start of the
// buffers, the array's own offset included.
class Walk {
 public:
  Sizes sizes;

  void Visit(const arrow::ArrayData& data, const arrow::DataType& type, int64_t offset,
             int64_t length) {
    if (type.id() == arrow::Type::EXTENSION) {
      const auto& extension = static_cast<const arrow::ExtensionType&>(type);
      return Visit(data, *extension.storage_type(), offset, length);
    }
    ++sizes.nodes;
    sizes.buffers += static_cast<int64_t>(data.buffers.size());
    const bool may_be_null =
        !data.buffers.empty() && data.buffers[0] != nullptr && data.null_count.load() != 0;
    if (may_be_null) Add(BitBytes(length));
    switch (type.id()) {
      case arrow::Type::NA: return;
      case arrow::Type::STRING:
      case arrow::Type::BINARY: return Strings<int32_t>(data, offset, length);
      case arrow::Type::LARGE_STRING:
      case arrow::Type::LARGE_BINARY: return Strings<int64_t>(data, offset, length);
      case arrow::Type::STRING_VIEW:
      case arrow::Type::BINARY_VIEW: return Views(data, offset, length);
      case arrow::Type::LIST:
      case arrow::Type::MAP: return Lists<int32_t>(data, offset, length);
      case arrow::Type::LARGE_LIST: return Lists<int64_t>(data, offset, length);
      case arrow::Type::LIST_VIEW: return ListViews<int32_t>(data, offset, length);
      case arrow::Type::LARGE_LIST_VIEW: return ListViews<int64_t>(data, offset, length);
      case arrow::Type::FIXED_SIZE_LIST: {
        const int64_t size = static_cast<const arrow::FixedSizeListType&>(type).list_size();
        return Child(data, 0, offset * size, length * size);
      }
      case arrow::Type::STRUCT:
        for (size_t i = 0; i < data.child_data.size(); ++i) Child(data, i, offset, length);
        return;
      case arrow::Type::SPARSE_UNION:
        Add(length);
        for (size_t i = 0; i < data.child_data.size(); ++i) Child(data, i, offset, length);
        return;
      case arrow::Type::DENSE_UNION:
        return DenseUnion(data, static_cast<const arrow::UnionType&>(type), offset, length);
      case arrow::Type::RUN_END_ENCODED: return RunEnds(data, offset, length);
      case arrow::Type::DICTIONARY: Fixed(type, length); return Dictionary(data);
      default:  // All that is left has a fixed width.
        return Fixed(type, length);
    }
  }

 private:
  void Add(int64_t bytes) { sizes.rows_bytes += bytes; }

  void Fixed(const arrow::DataType& type, int64_t length) {
    const int64_t bits = static_cast<const arrow::FixedWidthType&>(type).bit_width();
    Add(BitBytes(length * bits));
  }

  void Child(const arrow::ArrayData& data, size_t i, int64_t offset, int64_t length) {
    const arrow::ArrayData& child = *data.child_data[i];
    Visit(child, *child.type, child.offset + offset, length);
  }

  void Idle(const arrow::ArrayData& data) {
    if (data.buffers[1] != nullptr && data.buffers[1]->size() > kIdleBytes) {
      sizes.idle_bytes += data.buffers[1]->size();
    }
  }

  template <typename Offset>
  void Strings(const arrow::ArrayData& data, int64_t offset, int64_t length) {
    if (length == 0) return Idle(data);
    const Offset* offsets = data.GetValues<Offset>(1, 0);
    Add((length + 1) * static_cast<int64_t>(sizeof(Offset)));
    Add(offsets[offset + length] - offsets[offset]);
  }

  void Views(const arrow::ArrayData& data, int64_t offset, int64_t length) {
    using View = arrow::BinaryViewType::c_type;
    Add(length * static_cast<int64_t>(sizeof(View)));
    int64_t whole = 0;
    for (size_t i = 2; i < data.buffers.size(); ++i) {
      if (data.buffers[i] != nullptr) whole += data.buffers[i]->size();
    }
    if (whole == 0 || length == 0) {
      sizes.view_bytes_whole += whole;
      return;
    }
    int64_t seen = 0;
    const View* views = data.GetValues<View>(1, 0);
    for (int64_t i = offset; i < offset + length; ++i) {
      if (!views[i].is_inline()) seen += views[i].size();
    }
    seen = std::min(seen, whole);  // Views may share bytes.
    Add(seen);
    sizes.view_bytes += seen;
    sizes.view_bytes_whole += whole;
  }

  template <typename Offset>
  void Lists(const arrow::ArrayData& data, int64_t offset, int64_t length) {
    if (length == 0) {
      Idle(data);
      return Child(data, 0, 0, 0);
    }
    const Offset* offsets = data.GetValues<Offset>(1, 0);
    Add((length + 1) * static_cast<int64_t>(sizeof(Offset)));
    Child(data, 0, offsets[offset], offsets[offset + length] - offsets[offset]);
  }

  template <typename Offset>
  void ListViews(const arrow::ArrayData& data, int64_t offset, int64_t length) {
    int64_t first = std::numeric_limits<int64_t>::max(), last = 0;
    sizes.loose = true;
    Add(2 * length * static_cast<int64_t>(sizeof(Offset)));
    if (length > 0) {
      const Offset* offsets = data.GetValues<Offset>(1, 0);
      const Offset* counts = data.GetValues<Offset>(2, 0);
      for (int64_t i = offset; i < offset + length; ++i) {
        if (counts[i] == 0) continue;
        first = std::min<int64_t>(first, offsets[i]);
        last = std::max<int64_t>(last, static_cast<int64_t>(offsets[i]) + counts[i]);
      }
    }
    if (last == 0) first = 0;
    Child(data, 0, first, last - first);
  }

  void DenseUnion(const arrow::ArrayData& data, const arrow::UnionType& type, int64_t offset,
                  int64_t length) {
    sizes.loose = true;
    Add(length * 5);
    struct Range {
      int64_t first = std::numeric_limits<int64_t>::max(), last = 0;
    };
    std::vector<Range> ranges(data.child_data.size());
    if (length > 0) {
      const int8_t* codes = data.GetValues<int8_t>(1, 0);
      const int32_t* offsets = data.GetValues<int32_t>(2, 0);
      for (int64_t i = offset; i < offset + length; ++i) {
        Range& range = ranges[static_cast<size_t>(type.child_ids()[codes[i]])];
        range.first = std::min<int64_t>(range.first, offsets[i]);
        range.last = std::max<int64_t>(range.last, int64_t{offsets[i]} + 1);
      }
    }
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (ranges[i].last == 0) ranges[i].first = 0;
      Child(data, i, ranges[i].first, ranges[i].last - ranges[i].first);
    }
  }

  void RunEnds(const arrow::ArrayData& data, int64_t offset, int64_t length) {
    int64_t first = 0, count = 0;
    if (length > 0) {
      std::tie(first, count) =
          arrow::ree_util::FindPhysicalRange(arrow::ArraySpan(data), offset, length);
    }
    Child(data, 0, first, count);
    Child(data, 1, first, count);
  }

  void Dictionary(const arrow::ArrayData& data) {
    if (data.dictionary == nullptr) return;
    const arrow::ArrayData& dictionary = *data.dictionary;
    // Several Array objects may stand for one dictionary; its values' buffer tells.
    const void* key = &dictionary;
    if (dictionary.buffers.size() > 1 && dictionary.buffers[1] != nullptr) {
      key = dictionary.buffers[1].get();
    }
    if (!dictionaries_.insert(key).second) return;
    Walk walk;
    walk.dictionaries_.swap(dictionaries_);
    walk.Visit(dictionary, *dictionary.type, dictionary.offset, dictionary.length);
    walk.dictionaries_.swap(dictionaries_);
    sizes.dictionary_bytes += walk.sizes.rows_bytes + walk.sizes.dictionary_bytes;
  }

  std::set<const void*> dictionaries_;
};

}  // namespace

Sizes Measure(const arrow::ArrayData& array) {
  Walk walk;
  walk.Visit(array, *array.type, array.offset, array.length);
  return walk.sizes;
}

Sizes Measure(const arrow::RecordBatch& batch) {
  Walk walk;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& data = batch.column_data(i);
    walk.Visit(*data, *data->type, data->offset, data->length);
  }
  return walk.sizes;
}

}  // namespace sheaf::columnar
