#include "sheaf/apps/sheaf/cells.h"

#include <arrow/api.h>
#include <arrow/extension_type.h>

#include <array>
#include <charconv>
#include <cmath>

#include "sheaf/apps/sheaf/scalars.h"
#include "sheaf/base/core/core.h"

namespace sheaf::app {
namespace {

using arrow::Type;

std::string_view BytesAt(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case Type::STRING:
    case Type::BINARY: return static_cast<const arrow::BinaryArray&>(array).GetView(row);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY: return static_cast<const arrow::LargeBinaryArray&>(array).GetView(row);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW: return static_cast<const arrow::BinaryViewArray&>(array).GetView(row);
    default: return static_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(row);
  }
}

template <typename Float>
void AppendDouble(Float value, std::string& out, std::string_view not_finite) {
  if (!std::isfinite(value) && !not_finite.empty()) {
    out += not_finite;
    return;
  }
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

void AppendFloat(const arrow::Array& array, int64_t row, std::string& out,
                 std::string_view not_finite) {
  if (array.type_id() == Type::DOUBLE) {
    return AppendDouble(static_cast<const arrow::DoubleArray&>(array).Value(row), out, not_finite);
  }
  if (array.type_id() == Type::FLOAT) {
    return AppendDouble(static_cast<const arrow::FloatArray&>(array).Value(row), out, not_finite);
  }
  AppendScalar(array, row, out);  // Half floats.
}

void AppendRange(const arrow::Array& values, int64_t from, int64_t count, std::string& out) {
  out += '[';
  for (int64_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    AppendJson(values, from + i, out);
  }
  out += ']';
}

template <typename ListArray>
void AppendList(const arrow::Array& array, int64_t row, std::string& out) {
  const auto& list = static_cast<const ListArray&>(array);
  AppendRange(*list.values(), list.value_offset(row), list.value_length(row), out);
}

void AppendStruct(const arrow::StructArray& array, int64_t row, std::string& out) {
  out += '{';
  for (int i = 0; i < array.num_fields(); ++i) {
    if (i > 0) out += ',';
    AppendJsonText(array.type()->field(i)->name(), out);
    out += ':';
    AppendJson(*array.field(i), row, out);
  }
  out += '}';
}

// An object when the keys are text; else a list of pairs.
void AppendMap(const arrow::MapArray& array, int64_t row, std::string& out) {
  const auto& keys = *array.keys();
  const bool named = arrow::is_base_binary_like(keys.type_id());
  out += named ? '{' : '[';
  for (int64_t i = 0; i < array.value_length(row); ++i) {
    const int64_t at = array.value_offset(row) + i;
    if (i > 0) out += ',';
    if (!named) out += '[';
    AppendJson(keys, at, out);
    out += named ? ':' : ',';
    AppendJson(*array.items(), at, out);
    if (!named) out += ']';
  }
  out += named ? '}' : ']';
}

void AppendUnion(const arrow::UnionArray& array, int64_t row, std::string& out) {
  const int child = array.child_id(row);
  const bool dense = array.type_id() == Type::DENSE_UNION;
  const int64_t at =
      dense ? static_cast<const arrow::DenseUnionArray&>(array).value_offset(row) : row;
  AppendJson(*array.field(child), at, out);
}

bool IsText(Type::type id) {
  return id == Type::STRING || id == Type::LARGE_STRING || id == Type::STRING_VIEW;
}

bool IsBytes(Type::type id) {
  return id == Type::BINARY || id == Type::LARGE_BINARY || id == Type::BINARY_VIEW ||
         id == Type::FIXED_SIZE_BINARY;
}

// True when it was one of them.
bool AppendNested(const arrow::Array& array, int64_t row, std::string& out) {
  switch (array.type_id()) {
    case Type::LIST: AppendList<arrow::ListArray>(array, row, out); return true;
    case Type::LARGE_LIST: AppendList<arrow::LargeListArray>(array, row, out); return true;
    case Type::LIST_VIEW: AppendList<arrow::ListViewArray>(array, row, out); return true;
    case Type::LARGE_LIST_VIEW: AppendList<arrow::LargeListViewArray>(array, row, out); return true;
    case Type::FIXED_SIZE_LIST: AppendList<arrow::FixedSizeListArray>(array, row, out); return true;
    case Type::STRUCT:
      AppendStruct(static_cast<const arrow::StructArray&>(array), row, out);
      return true;
    case Type::MAP: AppendMap(static_cast<const arrow::MapArray&>(array), row, out); return true;
    case Type::SPARSE_UNION:
    case Type::DENSE_UNION:
      AppendUnion(static_cast<const arrow::UnionArray&>(array), row, out);
      return true;
    default: return false;
  }
}

// The array and row that really hold a value: behind dictionaries, run ends and extensions.
struct Place {
  std::shared_ptr<arrow::Array> kept;  // Keeps a made array alive.
  const arrow::Array* array;
  int64_t row;
};
Place Behind(const arrow::Array& array, int64_t row) {
  Place place{nullptr, &array, row};
  while (true) {
    switch (place.array->type_id()) {
      case Type::DICTIONARY: {
        const auto& encoded = static_cast<const arrow::DictionaryArray&>(*place.array);
        if (encoded.IsNull(place.row)) return place;
        place = {encoded.dictionary(), encoded.dictionary().get(),
                 encoded.GetValueIndex(place.row)};
        break;
      }
      case Type::RUN_END_ENCODED: {
        const auto one = place.array->Slice(place.row, 1);
        const auto& encoded = static_cast<const arrow::RunEndEncodedArray&>(*one);
        place = {encoded.values(), encoded.values().get(), encoded.FindPhysicalOffset()};
        break;
      }
      case Type::EXTENSION: {
        const auto storage = static_cast<const arrow::ExtensionArray&>(*place.array).storage();
        place = {storage, storage.get(), place.row};
        break;
      }
      default: return place;
    }
  }
}

}  // namespace

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         arrow::is_decimal(type.id());
}

void AppendJson(const arrow::Array& given, int64_t given_row, std::string& out) {
  const Place place = Behind(given, given_row);
  const arrow::Array& array = *place.array;
  const Type::type id = array.type_id();
  if (id == Type::NA || array.IsNull(place.row)) {
    out += "null";
  } else if (AppendNested(array, place.row, out)) {
    return;
  } else if (arrow::is_floating(id)) {
    AppendFloat(array, place.row, out, "null");
  } else if (id == Type::BOOL || IsNumber(*array.type())) {
    AppendScalar(array, place.row, out);
  } else if (IsText(id)) {
    AppendJsonText(BytesAt(array, place.row), out);
  } else if (IsBytes(id)) {
    AppendJsonText(core::ToHex(BytesAt(array, place.row)), out);
  } else {
    out += '"';  // Dates and times hold nothing that JSON would escape.
    AppendScalar(array, place.row, out);
    out += '"';
  }
}

std::optional<std::string> CellText(const arrow::Array& given, int64_t given_row) {
  const Place place = Behind(given, given_row);
  const arrow::Array& array = *place.array;
  const Type::type id = array.type_id();
  if (id == Type::NA || array.IsNull(place.row)) return std::nullopt;
  std::string out;
  if (AppendNested(array, place.row, out)) return out;
  if (arrow::is_floating(id)) {
    AppendFloat(array, place.row, out, "");
    return out;
  }
  if (IsText(id)) return std::string(BytesAt(array, place.row));
  if (IsBytes(id)) return core::ToHex(BytesAt(array, place.row));
  AppendScalar(array, place.row, out);
  return out;
}

}  // namespace sheaf::app
