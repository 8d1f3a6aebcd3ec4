// Random arrays of every type Arrow has, for the tests of this room.
#pragma once

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/json/from_string.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::columnar::testing {

using Random = std::mt19937_64;

// A value of the type as JSON in Arrow's spelling; some are null.
inline std::string RandomJson(const arrow::DataType& type, Random& random) {
  const auto text = [&](size_t size) {
    std::string out = "\"";
    for (size_t i = 0; i < size; ++i) out += static_cast<char>('a' + random() % 26);
    return out + '"';
  };
  const auto list = [&](const arrow::DataType& item, size_t size) {
    std::string out = "[";
    for (size_t i = 0; i < size; ++i) out += (i > 0 ? "," : "") + RandomJson(item, random);
    return out + "]";
  };
  const bool is_union =
      type.id() == arrow::Type::SPARSE_UNION || type.id() == arrow::Type::DENSE_UNION;
  if (!is_union && random() % 5 == 0) return "null";
  switch (type.id()) {
    case arrow::Type::NA: return "null";
    case arrow::Type::BOOL: return random() % 2 == 0 ? "true" : "false";
    case arrow::Type::DECIMAL128: return "\"" + std::to_string(random() % 1000) + ".25\"";
    case arrow::Type::FIXED_SIZE_BINARY: return text(static_cast<size_t>(type.byte_width()));
    case arrow::Type::INTERVAL_MONTH_DAY_NANO: return "[1, 2, 3]";
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW: return text(random() % 40);
    case arrow::Type::DICTIONARY: return text(1);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW: return list(*type.field(0)->type(), random() % 6);
    case arrow::Type::FIXED_SIZE_LIST: return list(*type.field(0)->type(), 3);
    case arrow::Type::MAP:
      return "[[\"k" + std::to_string(random() % 9) + "\", " + std::to_string(random() % 99) + "]]";
    case arrow::Type::STRUCT: {
      std::string out = "{";
      for (const auto& field : type.fields()) {
        out += (out.size() > 1 ? ", \"" : "\"") + field->name() + "\": " +
               RandomJson(*field->type(), random);
      }
      return out + "}";
    }
    case arrow::Type::SPARSE_UNION:
    case arrow::Type::DENSE_UNION: {
      const size_t child = random() % 2;
      const auto& codes = static_cast<const arrow::UnionType&>(type).type_codes();
      return "[" + std::to_string(codes[child]) + ", " +
             RandomJson(*type.field(static_cast<int>(child))->type(), random) + "]";
    }
    default: return std::to_string(random() % 100);
  }
}

inline std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                              const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline std::shared_ptr<arrow::Array> RandomArray(const std::shared_ptr<arrow::DataType>& type,
                                                 int64_t rows, Random& random) {
  if (type->id() == arrow::Type::EXTENSION) {
    const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
    return arrow::ExtensionType::WrapArray(type,
                                           RandomArray(extension.storage_type(), rows, random));
  }
  if (type->id() == arrow::Type::RUN_END_ENCODED) {
    const auto& encoded = static_cast<const arrow::RunEndEncodedType&>(*type);
    std::string ends = "[";
    int64_t runs = 0;
    for (int64_t end = 0; end < rows; ++runs) {
      end = std::min<int64_t>(rows, end + 1 + static_cast<int64_t>(random() % 5));
      ends += (runs > 0 ? "," : "") + std::to_string(end);
    }
    return arrow::RunEndEncodedArray::Make(rows, FromJson(encoded.run_end_type(), ends + "]"),
                                           RandomArray(encoded.value_type(), runs, random))
        .ValueOrDie();
  }
  std::string json = "[";
  for (int64_t i = 0; i < rows; ++i) json += (i > 0 ? "," : "") + RandomJson(*type, random);
  return FromJson(type, json + "]");
}

inline std::vector<std::shared_ptr<arrow::DataType>> PlainTypes() {
  return {arrow::null(),
          arrow::boolean(),
          arrow::int8(),
          arrow::uint16(),
          arrow::int32(),
          arrow::int64(),
          arrow::float64(),
          arrow::decimal128(10, 2),
          arrow::fixed_size_binary(7),
          arrow::date32(),
          arrow::timestamp(arrow::TimeUnit::MICRO),
          arrow::month_day_nano_interval(),
          arrow::utf8(),
          arrow::binary(),
          arrow::large_utf8(),
          arrow::utf8_view(),
          arrow::binary_view(),
          arrow::dictionary(arrow::int8(), arrow::utf8()),
          arrow::extension::uuid()};
}

inline std::vector<std::shared_ptr<arrow::DataType>> AllTypes() {
  const auto field = [](const char* name, std::shared_ptr<arrow::DataType> type) {
    return arrow::field(name, std::move(type));
  };
  const auto text = arrow::utf8(), view = arrow::utf8_view();
  const auto number = arrow::int32();
  auto types = PlainTypes();
  for (const auto& type : std::vector<std::shared_ptr<arrow::DataType>>{
           arrow::list(number),
           arrow::large_list(text),
           arrow::list_view(arrow::int16()),
           arrow::large_list_view(text),
           arrow::fixed_size_list(arrow::int16(), 3),
           arrow::struct_({field("a", arrow::int8()), field("b", text)}),
           arrow::map(text, number),
           arrow::sparse_union({field("a", number), field("b", text)}, {3, 7}),
           arrow::dense_union({field("a", number), field("b", text)}, {3, 7}),
           arrow::run_end_encoded(number, text),
           arrow::run_end_encoded(arrow::int16(), view),
           arrow::list(arrow::struct_({field("v", view), field("n", arrow::int64())})),
           arrow::fixed_size_list(view, 3),
           arrow::sparse_union({field("a", view), field("b", text)}, {0, 1}),
           arrow::large_list(arrow::list_view(view)),
           arrow::list_view(arrow::list_view(arrow::int64())),
           arrow::struct_({field("u", arrow::dense_union({field("a", arrow::list_view(number)),
                                                          field("b", view)},
                                                         {5, 2}))}),
           arrow::struct_({field("l", arrow::list(arrow::list(arrow::boolean()))),
                           field("d", arrow::dictionary(arrow::int16(), text))})}) {
    types.push_back(type);
  }
  return types;
}

inline std::shared_ptr<arrow::RecordBatch> OneColumn(std::shared_ptr<arrow::Array> array) {
  const auto schema = arrow::schema({arrow::field("c", array->type())});
  return arrow::RecordBatch::Make(schema, array->length(), {array});
}

}  // namespace sheaf::columnar::testing
