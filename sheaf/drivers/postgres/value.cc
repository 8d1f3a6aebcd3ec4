#include "sheaf/drivers/postgres/value.h"

#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace sheaf::postgres {
namespace {

// Fixed in the server's catalogue for ever.
constexpr TypeId kBool = 16, kBytea = 17, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
                 kText = 25, kFloat8 = 701, kVarchar = 1043, kVoid = 2278, kUuid = 2950;

template <typename T>
std::string BigEndian(T value) {
  auto bits = static_cast<std::make_unsigned_t<T>>(value);
  std::string bytes(sizeof(T), '\0');
  for (size_t i = sizeof(T); i > 0; --i) {
    bytes[i - 1] = static_cast<char>(bits & 0xFF);
    bits = static_cast<std::make_unsigned_t<T>>(bits >> 7 >> 1);
  }
  return bytes;
}

uint64_t FromBigEndian(std::string_view bytes) {
  uint64_t bits = 0;
  for (const char c : bytes) bits = bits << 8 | static_cast<uint8_t>(c);
  return bits;
}

Encoded Own(std::string bytes) { return {.own = std::move(bytes)}; }
Encoded InPlace(std::string_view bytes) { return {.in_place = true, .borrowed = bytes}; }

Error DoesNotFit(TypeId type) {
  return Fail(Kind::kInvalid,
              "a value does not fit a parameter of PostgreSQL's type " + std::to_string(type));
}

Result<Encoded> EncodeNumber(int64_t number, TypeId type) {
  const auto fits = [&]<typename T>(T) {
    return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
  };
  if (type == kInt8) return Own(BigEndian(number));
  if (type == kInt4 && fits(int32_t{})) return Own(BigEndian(static_cast<int32_t>(number)));
  if (type == kInt2 && fits(int16_t{})) return Own(BigEndian(static_cast<int16_t>(number)));
  return DoesNotFit(type);
}

Result<Encoded> EncodeText(std::string_view text, TypeId type) {
  if (type != kText && type != kVarchar && type != kName) return DoesNotFit(type);
  if (text.find('\0') != std::string_view::npos) {
    return Fail(Kind::kInvalid, "a text holds a NUL, which PostgreSQL cannot keep");
  }
  return InPlace(text);
}

}  // namespace

Result<Encoded> Encode(const Value& value, TypeId type) {
  return std::visit(
      [&]<typename T>(const T& is) -> Result<Encoded> {
        if constexpr (std::is_same_v<T, Null>) {
          return Encoded{.null = true};
        } else if constexpr (std::is_same_v<T, bool>) {
          if (type != kBool) return DoesNotFit(type);
          return Own(std::string(1, is ? '\1' : '\0'));
        } else if constexpr (std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>) {
          return EncodeNumber(is, type);
        } else if constexpr (std::is_same_v<T, double>) {
          if (type != kFloat8) return DoesNotFit(type);
          return Own(BigEndian(std::bit_cast<int64_t>(is)));
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          return EncodeText(is, type);
        } else if constexpr (std::is_same_v<T, Blob>) {
          if (type != kBytea) return DoesNotFit(type);
          return InPlace(is.bytes);
        } else {
          if (type != kUuid) return DoesNotFit(type);
          return Own(std::string(is.bytes.begin(), is.bytes.end()));
        }
      },
      value);
}

Result<Value> Decode(std::string_view bytes, TypeId type) {
  const auto wrong = [&] {
    return Fail(Kind::kCorrupt, "a value of PostgreSQL's type " + std::to_string(type) + " has " +
                                    std::to_string(bytes.size()) + " bytes");
  };
  const auto sized = [&](size_t size) { return bytes.size() == size; };
  switch (type) {
    case kBool:
      if (!sized(1)) return wrong();
      return Value(bytes[0] != '\0');
    case kInt2:
      if (!sized(2)) return wrong();
      return Value(int32_t{static_cast<int16_t>(FromBigEndian(bytes))});
    case kInt4:
      if (!sized(4)) return wrong();
      return Value(static_cast<int32_t>(FromBigEndian(bytes)));
    case kInt8:
      if (!sized(8)) return wrong();
      return Value(static_cast<int64_t>(FromBigEndian(bytes)));
    case kFloat8:
      if (!sized(8)) return wrong();
      return Value(std::bit_cast<double>(FromBigEndian(bytes)));
    case kBytea: return Value(Blob{bytes});
    case kText:
    case kVarchar:
    case kName: return Value(bytes);
    case kVoid: return Value(Null{});
    case kUuid: {
      Uuid uuid;
      if (!sized(uuid.bytes.size())) return wrong();
      std::memcpy(uuid.bytes.data(), bytes.data(), bytes.size());
      return Value(uuid);
    }
    default: break;
  }
  return Fail(Kind::kUnsupported,
              "a column of PostgreSQL's type " + std::to_string(type) + ", which is not used here");
}

}  // namespace sheaf::postgres
