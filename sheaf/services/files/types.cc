// Names of types, as people write them in options.types.
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/initialize.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/spec.h"

namespace sheaf::files {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

const std::map<std::string_view, TypePtr>& PlainTypes() {
  static const std::map<std::string_view, TypePtr> types = {
      {"bool", arrow::boolean()},
      {"int8", arrow::int8()},
      {"int16", arrow::int16()},
      {"int32", arrow::int32()},
      {"int64", arrow::int64()},
      {"uint8", arrow::uint8()},
      {"uint16", arrow::uint16()},
      {"uint32", arrow::uint32()},
      {"uint64", arrow::uint64()},
      {"float32", arrow::float32()},
      {"float", arrow::float32()},
      {"float64", arrow::float64()},
      {"double", arrow::float64()},
      {"string", arrow::utf8()},
      {"large_string", arrow::large_utf8()},
      {"binary", arrow::binary()},
      {"date", arrow::date32()},
      {"date32", arrow::date32()},
      {"date64", arrow::date64()},
      {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"time", arrow::time64(arrow::TimeUnit::MICRO)},
  };
  return types;
}

std::string Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

// "name[a, b]" or "name(a, b)" taken apart.
struct Parts {
  std::string name;
  std::vector<std::string> arguments;
};
std::optional<Parts> TakeApart(std::string_view text) {
  const size_t open = text.find_first_of("[(");
  if (open == std::string_view::npos) return Parts{Trim(text), {}};
  const char close = text[open] == '[' ? ']' : ')';
  if (text.back() != close) return std::nullopt;
  Parts parts{Trim(text.substr(0, open)), {}};
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  while (true) {
    const size_t comma = rest.find(',');
    parts.arguments.push_back(Trim(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    rest.remove_prefix(comma + 1);
  }
}

std::optional<arrow::TimeUnit::type> UnitOf(std::string_view text) {
  if (text == "s") return arrow::TimeUnit::SECOND;
  if (text == "ms") return arrow::TimeUnit::MILLI;
  if (text == "us") return arrow::TimeUnit::MICRO;
  if (text == "ns") return arrow::TimeUnit::NANO;
  return std::nullopt;
}

std::optional<int32_t> NumberOf(const std::string& text) {
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Whether Arrow finds the zone; it takes names of the machine's database and offsets.
bool Locates(const std::string& zone) {
  static const arrow::Status ready = arrow::compute::Initialize();
  const auto moment = arrow::MakeScalar(arrow::timestamp(arrow::TimeUnit::MICRO), 0);
  return ready.ok() && moment.ok() &&
         arrow::compute::AssumeTimezone(*moment, arrow::compute::AssumeTimezoneOptions(zone)).ok();
}

// A machine without a database knows no zone at all: then every name has to be believed.
bool IsZone(const std::string& zone) {
  if (zone.empty()) return false;
  return zone == "UTC" || Locates(zone) || !Locates("UTC");
}

// The zone of "timestamp[us, UTC]", or of "timestamp[us, tz=UTC]", as Arrow and our errors put it.
std::string ZoneOf(const Parts& parts) {
  constexpr std::string_view kMark = "tz=";
  const std::string& text = parts.arguments[1];
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

TypePtr TemporalType(const Parts& parts) {
  const auto unit = UnitOf(parts.arguments[0]);
  if (!unit.has_value()) return nullptr;
  if (parts.name == "timestamp") {
    return parts.arguments.size() == 1 ? arrow::timestamp(*unit)
                                       : arrow::timestamp(*unit, ZoneOf(parts));
  }
  if (parts.arguments.size() != 1) return nullptr;
  const bool coarse = *unit == arrow::TimeUnit::SECOND || *unit == arrow::TimeUnit::MILLI;
  if (parts.name == "time32") return coarse ? arrow::time32(*unit) : nullptr;
  if (parts.name == "time64") return coarse ? nullptr : arrow::time64(*unit);
  if (parts.name == "time") return coarse ? arrow::time32(*unit) : arrow::time64(*unit);
  return nullptr;
}

TypePtr DecimalType(const Parts& parts) {
  const auto precision = NumberOf(parts.arguments[0]);
  const auto scale =
      parts.arguments.size() == 2 ? NumberOf(parts.arguments[1]) : std::optional<int32_t>(0);
  if (!precision.has_value() || !scale.has_value() || parts.arguments.size() > 2) return nullptr;
  if (*precision < 1 || *precision > 76 || *scale < 0 || *scale > *precision) return nullptr;
  return *precision <= 38 ? arrow::decimal128(*precision, *scale)
                          : arrow::decimal256(*precision, *scale);
}

}  // namespace

Result<TypePtr> ParseType(std::string_view text, std::string_view where) {
  TypePtr type;
  const auto parts = text.empty() ? std::nullopt : TakeApart(text);
  if (parts.has_value() && parts->arguments.empty()) {
    const auto found = PlainTypes().find(parts->name);
    if (found != PlainTypes().end()) type = found->second;
  } else if (parts.has_value() && parts->arguments.size() <= 2) {
    type = parts->name == "decimal" ? DecimalType(*parts) : TemporalType(*parts);
  }
  if (type != nullptr && type->id() == arrow::Type::TIMESTAMP && parts->arguments.size() == 2) {
    if (const std::string zone = ZoneOf(*parts); !IsZone(zone)) {
      return BadSpec(where, "unknown time zone '" + zone.substr(0, 60) +
                                "'; known are names as UTC and Europe/Berlin, with their capitals, "
                                "and offsets as +02:00");
    }
  }
  if (type != nullptr) return type;
  return BadSpec(where, "unknown type '" + std::string(text.substr(0, 60)) +
                            "'; known: bool, int8 to int64, uint8 to uint64, float32, float64, "
                            "string, binary, date, time[unit], timestamp[unit], "
                            "timestamp[unit, zone], decimal(precision, scale)");
}

}  // namespace sheaf::files
