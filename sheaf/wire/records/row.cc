#include "sheaf/wire/records/row.h"

namespace sheaf::records {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool IsDash(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

}  // namespace

std::string ToText(const Uuid& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : uuid.bytes) {
    if (IsDash(text.size())) text += '-';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<Uuid> ParseUuid(std::string_view text) {
  constexpr size_t kBytes = 36;
  const auto bad = [&] { return Fail(Kind::kInvalid, "not a UUID: " + std::string(text)); };
  if (text.size() != kBytes) return bad();
  Uuid uuid;
  size_t digits = 0;
  for (size_t at = 0; at < kBytes; ++at) {
    if (IsDash(at)) {
      if (text[at] != '-') return bad();
      continue;
    }
    const int digit = HexDigit(text[at]);
    if (digit < 0) return bad();
    uint8_t& byte = uuid.bytes[digits++ / 2];
    byte = static_cast<uint8_t>(byte << 4 | digit);
  }
  return uuid;
}

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<uint8_t>(text[at]);
    size_t more = 0;
    uint32_t point = lead, least = 0;
    if (lead >= 0xF0 && lead < 0xF8) {
      more = 3, point = lead & 0x07, least = 0x10000;
    } else if (lead >= 0xE0 && lead < 0xF0) {
      more = 2, point = lead & 0x0F, least = 0x800;
    } else if (lead >= 0xC0 && lead < 0xE0) {
      more = 1, point = lead & 0x1F, least = 0x80;
    } else if (lead >= 0x80) {
      return false;
    }
    if (more >= text.size() - at) return false;
    for (size_t i = 1; i <= more; ++i) {
      const auto next = static_cast<uint8_t>(text[at + i]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3F);
    }
    if (point < least || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return false;
    at += more + 1;
  }
  return true;
}

bool Fits(const Value& value, ColumnType type) {
  if (std::holds_alternative<Absent>(value)) return true;
  switch (type) {
    case ColumnType::kString: return std::holds_alternative<std::string>(value);
    case ColumnType::kBlob: return std::holds_alternative<Blob>(value);
    case ColumnType::kBoolean: return std::holds_alternative<bool>(value);
    case ColumnType::kInteger: return std::holds_alternative<int32_t>(value);
    case ColumnType::kLong: return std::holds_alternative<int64_t>(value);
    case ColumnType::kDouble: return std::holds_alternative<double>(value);
    case ColumnType::kUuid: return std::holds_alternative<Uuid>(value);
  }
  __builtin_unreachable();
}

Status Row::Check() const {
  SHEAF_CHECK(values.size() == table->columns());
  for (size_t i = 0; i < values.size(); ++i) {
    const Property& property = table->ColumnAt(i);
    const std::string where = std::string(table->name) + "." + std::string(property.pname);
    if (!Fits(values[i], property.type)) {
      return Fail(Kind::kInvalid, where + " holds a value of another type");
    }
    if (const auto* text = std::get_if<std::string>(&values[i]); text && !IsUtf8(*text)) {
      return Fail(Kind::kInvalid, where + " is not UTF-8");
    }
    if (property.primary_key && std::holds_alternative<Absent>(values[i])) {
      return Fail(Kind::kInvalid, where + " is a key and absent");
    }
  }
  return Done();
}

Row Row::Public() const {
  Row shown = *this;
  for (size_t i = 0; i < values.size(); ++i) {
    if (table->ColumnAt(i).is_private) shown.values[i] = Absent{};
  }
  return shown;
}

Value& Row::At(std::string_view pname) {
  const auto place = table->Place(pname);
  SHEAF_CHECK(place.has_value());
  return values[*place];
}

const Value& Row::At(std::string_view pname) const {
  const auto place = table->Place(pname);
  SHEAF_CHECK(place.has_value());
  return values[*place];
}

}  // namespace sheaf::records
