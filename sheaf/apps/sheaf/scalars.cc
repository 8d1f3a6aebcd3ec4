#include "sheaf/apps/sheaf/scalars.h"

#include <arrow/api.h>
#include <arrow/util/formatting.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

namespace sheaf::app {
namespace {

using arrow::Type;

template <typename ArrayType>
void AppendInteger(const arrow::Array& array, int64_t row, std::string& out) {
  std::array<char, 24> text{};
  const auto value = static_cast<const ArrayType&>(array).Value(row);
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

template <typename ArrayType>
void AppendDecimal(const arrow::Array& array, int64_t row, std::string& out) {
  out += static_cast<const ArrayType&>(array).FormatValue(row);
}

template <typename ArrowType>
void AppendTime(const arrow::Array& array, int64_t row, std::string& out) {
  arrow::internal::StringFormatter<ArrowType> format(array.type().get());
  using ArrayType = typename arrow::TypeTraits<ArrowType>::ArrayType;
  format(static_cast<const ArrayType&>(array).Value(row),
         [&](std::string_view text) { out += text; });
}

void AppendSlowly(const arrow::Array& array, int64_t row, std::string& out) {
  const auto scalar = array.GetScalar(row);
  out += scalar.ok() ? (*scalar)->ToString() : "?";
}

}  // namespace

void AppendScalar(const arrow::Array& array, int64_t row, std::string& out) {
  switch (array.type_id()) {
    case Type::BOOL:
      out += static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
      return;
    case Type::INT64: return AppendInteger<arrow::Int64Array>(array, row, out);
    case Type::INT32: return AppendInteger<arrow::Int32Array>(array, row, out);
    case Type::INT16: return AppendInteger<arrow::Int16Array>(array, row, out);
    case Type::INT8: return AppendInteger<arrow::Int8Array>(array, row, out);
    case Type::UINT64: return AppendInteger<arrow::UInt64Array>(array, row, out);
    case Type::UINT32: return AppendInteger<arrow::UInt32Array>(array, row, out);
    case Type::UINT16: return AppendInteger<arrow::UInt16Array>(array, row, out);
    case Type::UINT8: return AppendInteger<arrow::UInt8Array>(array, row, out);
    case Type::DECIMAL32: return AppendDecimal<arrow::Decimal32Array>(array, row, out);
    case Type::DECIMAL64: return AppendDecimal<arrow::Decimal64Array>(array, row, out);
    case Type::DECIMAL128: return AppendDecimal<arrow::Decimal128Array>(array, row, out);
    case Type::DECIMAL256: return AppendDecimal<arrow::Decimal256Array>(array, row, out);
    case Type::DATE32: return AppendTime<arrow::Date32Type>(array, row, out);
    case Type::DATE64: return AppendTime<arrow::Date64Type>(array, row, out);
    case Type::TIME32: return AppendTime<arrow::Time32Type>(array, row, out);
    case Type::TIME64: return AppendTime<arrow::Time64Type>(array, row, out);
    case Type::TIMESTAMP: return AppendTime<arrow::TimestampType>(array, row, out);
    default: return AppendSlowly(array, row, out);
  }
}

void AppendJsonText(std::string_view text, std::string& out) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
  if (plain) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  out += nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/false,
                                   nlohmann::json::error_handler_t::replace);
}

void AppendCsvText(std::string_view text, std::string& out) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace sheaf::app
