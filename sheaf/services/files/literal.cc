#include "sheaf/services/files/literal.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/decimal.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "sheaf/services/files/errors.h"

namespace sheaf::files {
namespace {

using ScalarPtr = std::shared_ptr<arrow::Scalar>;
using TypePtr = std::shared_ptr<arrow::DataType>;

// nullptr from a maker below means: the value does not fit the type.

template <typename T>
bool FitsInteger(const Json& value, T& out) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    out = static_cast<T>(number);
    return number <= static_cast<uint64_t>(std::numeric_limits<T>::max());
  }
  if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();
    out = static_cast<T>(number);
    if (number < 0) {
      return std::is_signed_v<T> && number >= static_cast<int64_t>(std::numeric_limits<T>::min());
    }
    return static_cast<uint64_t>(number) <= static_cast<uint64_t>(std::numeric_limits<T>::max());
  }
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();  // 24.0 is 24; 24.5 is no integer.
  // Both bounds are powers of two, exact as doubles.
  const double above = std::ldexp(1.0, std::numeric_limits<T>::digits);
  const double least = std::is_signed_v<T> ? -above : 0.0;
  if (!(number >= least && number < above) || number != std::trunc(number)) return false;
  out = static_cast<T>(number);
  return true;
}

template <typename T>
ScalarPtr Integer(const Json& value, const TypePtr& type) {
  typename T::c_type number{};
  if (!FitsInteger(value, number)) return nullptr;
  return std::make_shared<typename arrow::TypeTraits<T>::ScalarType>(number, type);
}

ScalarPtr Floating(const Json& value, const TypePtr& type) {
  double number = 0;
  if (value.is_number_float()) {
    number = value.get<double>();
  } else if (value.is_number_unsigned()) {
    number = static_cast<double>(value.get<uint64_t>());
    if (number >= 0x1p64 || static_cast<uint64_t>(number) != value.get<uint64_t>()) return nullptr;
  } else if (value.is_number_integer()) {
    number = static_cast<double>(value.get<int64_t>());
    if (number >= 0x1p63 || static_cast<int64_t>(number) != value.get<int64_t>()) return nullptr;
  } else {
    return nullptr;
  }
  if (type->id() == arrow::Type::DOUBLE) return std::make_shared<arrow::DoubleScalar>(number);
  if (std::abs(number) > std::numeric_limits<float>::max()) return nullptr;
  return std::make_shared<arrow::FloatScalar>(static_cast<float>(number));
}

ScalarPtr Decimal(const Json& value, const TypePtr& type) {
  if (!value.is_number() && !value.is_string()) return nullptr;
  // A double prints shortest: 0.1 is meant, not the binary fraction nearest to it.
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.size() > 100) return nullptr;
  const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
  arrow::Decimal256 parsed;
  int32_t precision = 0, scale = 0;
  if (!arrow::Decimal256::FromString(text, &parsed, &precision, &scale).ok()) return nullptr;
  const auto rescaled = parsed.Rescale(scale, decimal.scale());
  if (!rescaled.ok() || !rescaled->FitsInPrecision(decimal.precision())) return nullptr;
  switch (type->id()) {
    case arrow::Type::DECIMAL32:
      return std::make_shared<arrow::Decimal32Scalar>(
          arrow::Decimal32(static_cast<int32_t>(rescaled->little_endian_array()[0])), type);
    case arrow::Type::DECIMAL64:
      return std::make_shared<arrow::Decimal64Scalar>(
          arrow::Decimal64(static_cast<int64_t>(rescaled->little_endian_array()[0])), type);
    case arrow::Type::DECIMAL128: {
      const auto words = rescaled->little_endian_array();
      return std::make_shared<arrow::Decimal128Scalar>(
          arrow::Decimal128(static_cast<int64_t>(words[1]), words[0]), type);
    }
    default: return std::make_shared<arrow::Decimal256Scalar>(*rescaled, type);
  }
}

// Dates, times and timestamps: Arrow's own strict reading of ISO 8601.
ScalarPtr FromText(const Json& value, const TypePtr& type) {
  if (!value.is_string()) return nullptr;
  const auto& text = value.get_ref<const std::string&>();
  if (type->id() == arrow::Type::TIMESTAMP) {
    // Scalar::Parse takes "…Z" for a column without a zone and the other way round; the two differ
    // by hours, so neither is taken.
    const size_t clock = text.find_first_of("T ");
    const bool zoned = clock != std::string::npos &&
                       (text.ends_with('Z') || text.find_first_of("+-", clock) != text.npos);
    const bool wanted = !static_cast<const arrow::TimestampType&>(*type).timezone().empty();
    if (zoned != wanted) return nullptr;
  }
  auto parsed = arrow::Scalar::Parse(type, text);
  return parsed.ok() ? *parsed : nullptr;
}

ScalarPtr Text(const Json& value, const TypePtr& type) {
  if (!value.is_string()) return nullptr;
  const auto made = arrow::MakeScalar(type, arrow::Buffer::FromString(value.get<std::string>()));
  return made.ok() ? *made : nullptr;
}

bool IsComparable(arrow::Type::type id) {
  switch (id) {
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY: return true;
    default:  // Nested, null, duration, interval, extension, view types: null tests only.
      return false;
  }
}

ScalarPtr Make(const Json& value, const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::BOOL:
      return value.is_boolean() ? std::make_shared<arrow::BooleanScalar>(value.get<bool>())
                                : nullptr;
    case arrow::Type::INT8: return Integer<arrow::Int8Type>(value, type);
    case arrow::Type::INT16: return Integer<arrow::Int16Type>(value, type);
    case arrow::Type::INT32: return Integer<arrow::Int32Type>(value, type);
    case arrow::Type::INT64: return Integer<arrow::Int64Type>(value, type);
    case arrow::Type::UINT8: return Integer<arrow::UInt8Type>(value, type);
    case arrow::Type::UINT16: return Integer<arrow::UInt16Type>(value, type);
    case arrow::Type::UINT32: return Integer<arrow::UInt32Type>(value, type);
    case arrow::Type::UINT64: return Integer<arrow::UInt64Type>(value, type);
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: return Floating(value, type);
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: return Decimal(value, type);
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY: return Text(value, type);
    default: return FromText(value, type);
  }
}

std::string_view Hint(const arrow::DataType& type) {
  if (type.id() == arrow::Type::TIMESTAMP) {
    return static_cast<const arrow::TimestampType&>(type).timezone().empty()
               ? " (write \"2026-01-31T12:00:00\", without a zone)"
               : " (write \"2026-01-31T12:00:00Z\", with a zone)";
  }
  if (arrow::is_date(type.id())) return " (write \"2026-01-31\")";
  if (arrow::is_time(type.id())) return " (write \"12:00:00\")";
  return "";
}

}  // namespace

Result<ScalarPtr> MakeLiteral(const Json& value, const TypePtr& type, std::string_view column,
                              std::string_view where) {
  const std::string named = "column '" + std::string(column) + "' of type " + type->ToString();
  if (!IsComparable(type->id())) {
    return Fail(Kind::kUnsupported,
                std::string(where) + ": " + named + " can only be tested by is_null and not_null");
  }
  if (value.is_null()) {
    return BadSpec(where, named + " is compared to null; use is_null or not_null");
  }
  if (ScalarPtr made = Make(value, type); made != nullptr) return made;
  std::string shown = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (shown.size() > 80) shown = shown.substr(0, 80) + "…";
  return BadSpec(where, named + " cannot be compared to " + shown + std::string(Hint(*type)));
}

}  // namespace sheaf::files
