#include "sheaf/wire/records/row_json.h"

#include <limits>

#include "sheaf/base/core/nearest.h"
#include "sheaf/wire/records/dialect.h"

namespace sheaf::records {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Json ValueToJson(const Value& value) {
  return std::visit(
      []<typename T>(const T& is) -> Json {
        if constexpr (std::is_same_v<T, Absent>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, Blob>) {
          return {{"base64", ToBase64(is.bytes)}};
        } else if constexpr (std::is_same_v<T, Uuid>) {
          return ToText(is);
        } else {
          return is;
        }
      },
      value);
}

bool IsInteger(const Json& json, int64_t min, int64_t max) {
  if (json.is_number_unsigned()) return json.get<uint64_t>() <= static_cast<uint64_t>(max);
  return json.is_number_integer() && json.get<int64_t>() >= min && json.get<int64_t>() <= max;
}

Result<Value> Bad(const std::string& where, ColumnType type) {
  return Fail(Kind::kInvalid, where + " must be a " + std::string(TypeWord(type)));
}

Result<Value> BlobFromJson(const Json& json, const std::string& where) {
  if (!json.is_object() || json.size() != 1 || !json.contains("base64") ||
      !json.at("base64").is_string()) {
    return Bad(where, ColumnType::kBlob);
  }
  auto bytes = FromBase64(json.at("base64").get_ref<const std::string&>());
  if (!bytes.ok()) return std::move(bytes).error().In(where);
  return Value(Blob{*std::move(bytes)});
}

Result<Value> ValueFromJson(const Json& json, ColumnType type, const std::string& where) {
  using Limits32 = std::numeric_limits<int32_t>;
  using Limits64 = std::numeric_limits<int64_t>;
  switch (type) {
    case ColumnType::kString:
      if (!json.is_string()) return Bad(where, type);
      return Value(json.get<std::string>());
    case ColumnType::kBlob: return BlobFromJson(json, where);
    case ColumnType::kBoolean:
      if (!json.is_boolean()) return Bad(where, type);
      return Value(json.get<bool>());
    case ColumnType::kInteger:
      if (!IsInteger(json, Limits32::min(), Limits32::max())) return Bad(where, type);
      return Value(json.get<int32_t>());
    case ColumnType::kLong:
      if (!IsInteger(json, Limits64::min(), Limits64::max())) return Bad(where, type);
      return Value(json.get<int64_t>());
    case ColumnType::kDouble:
      if (!json.is_number()) return Bad(where, type);
      return Value(json.get<double>());
    case ColumnType::kUuid: {
      if (!json.is_string()) return Bad(where, type);
      auto uuid = ParseUuid(json.get_ref<const std::string&>());
      if (!uuid.ok()) return std::move(uuid).error().In(where);
      return Value(*uuid);
    }
  }
  __builtin_unreachable();
}

}  // namespace

std::string ToBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<uint8_t>(bytes[at + i]) : 0);
    }
    for (size_t i = 0; i < 4; ++i) {
      text += i <= count ? kDigits[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

Result<std::string> FromBase64(std::string_view text) {
  const auto bad = [] { return Fail(Kind::kInvalid, "malformed base64"); };
  if (text.size() % 4 != 0) return bad();
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t at = 0; at < text.size(); at += 4) {
    std::string_view group = text.substr(at, 4);
    if (at + 4 == text.size()) {
      while (group.size() > 2 && group.back() == '=') group.remove_suffix(1);
    }
    uint32_t bits = 0;
    for (const char c : group) {
      const size_t digit = kDigits.find(c);
      if (digit == std::string_view::npos) return bad();
      bits = bits << 6 | static_cast<uint32_t>(digit);
    }
    const size_t unused = 4 - group.size();
    if ((bits & ((1U << (2 * unused)) - 1)) != 0) return bad();  // One text for the same bytes.
    bits <<= 6 * unused;
    for (size_t i = 0; i < 3 - unused; ++i) bytes += static_cast<char>(bits >> (16 - 8 * i));
  }
  return bytes;
}

Json ToJson(const Row& row) {
  Json object = Json::object();
  for (size_t i = 0; i < row.values.size(); ++i) {
    const Property& property = row.table->ColumnAt(i);
    if (property.is_private || std::holds_alternative<Absent>(row.values[i])) continue;
    object[std::string(property.pname)] = ValueToJson(row.values[i]);
  }
  return object;
}

Result<Row> RowFromJson(const Table& table, const Json& object) {
  const std::string name(table.name);
  if (!object.is_object()) return Fail(Kind::kInvalid, name + " must be an object");
  Row row(table);
  for (const auto& [key, json] : object.items()) {
    const auto place = table.Place(key);
    if (!place.has_value() || table.ColumnAt(*place).is_private) {
      std::vector<std::string_view> known;
      for (size_t i = 0; i < table.columns(); ++i) {
        if (!table.ColumnAt(i).is_private) known.push_back(table.ColumnAt(i).pname);
      }
      return Fail(Kind::kInvalid, name + ": " + core::UnknownWord("name", key, known));
    }
    SHEAF_ASSIGN(row.values[*place],
                 ValueFromJson(json, table.ColumnAt(*place).type, name + "." + key));
  }
  return row;
}

Json Describe(const Table& table) {
  Json columns = Json::array();
  for (const Property& property : table.properties) {
    if (!table.IsColumn(property)) continue;
    columns.push_back({{"pname", property.pname},
                       {"column", property.column},
                       {"type", TypeWord(property.type)},
                       {"key", property.primary_key},
                       {"index", property.index},
                       {"private", property.is_private}});
  }
  return {{"table", table.name}, {"about", table.about}, {"columns", std::move(columns)}};
}

}  // namespace sheaf::records
