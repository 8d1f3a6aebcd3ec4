// Values there and back, in PostgreSQL's binary format.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "sheaf/base/core/result.h"

namespace sheaf::postgres {

struct Null {};
struct Blob {
  std::string_view bytes;
};
struct Uuid {
  std::array<uint8_t, 16> bytes{};
};
// A value to bind or of a row; text and blobs are borrowed.
using Value = std::variant<Null, bool, int32_t, int64_t, double, std::string_view, Blob, Uuid>;

// The server's number of a type.
using TypeId = uint32_t;

// A value as it goes over the wire; `text` and `blob` values are not copied.
struct Encoded {
  bool null = false;
  bool in_place = false;  // The bytes are the value's own.
  std::string_view borrowed;
  std::string own;
  std::string_view bytes() const { return in_place ? borrowed : std::string_view(own); }
};

// For a parameter of this type. kInvalid: the value does not fit it, or a text holds a NUL.
Result<Encoded> Encode(const Value& value, TypeId type);
// Of a column of this type; borrows `bytes`. kUnsupported: a type that Sheaf does not use.
Result<Value> Decode(std::string_view bytes, TypeId type);

}  // namespace sheaf::postgres
