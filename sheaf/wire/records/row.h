// Rows of a table: values in the order of its columns, and records that name them at compile time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "sheaf/base/core/check.h"
#include "sheaf/base/core/result.h"
#include "sheaf/wire/records/property.h"

namespace sheaf::records {

struct Blob {
  std::string bytes;
  auto operator<=>(const Blob&) const = default;
};
struct Uuid {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
};
struct Absent {
  auto operator<=>(const Absent&) const = default;
};

using Value = std::variant<Absent, std::string, Blob, bool, int32_t, int64_t, double, Uuid>;

// "0f8c…" in the usual five groups; kInvalid says what is wrong.
std::string ToText(const Uuid& uuid);
Result<Uuid> ParseUuid(std::string_view text);

// Texts are UTF-8: JSON and Arrow know no others.
bool IsUtf8(std::string_view text);

namespace internal {
template <ColumnType kType>
struct CppType;
template <>
struct CppType<ColumnType::kString> {
  using Type = std::string;
};
template <>
struct CppType<ColumnType::kBlob> {
  using Type = Blob;
};
template <>
struct CppType<ColumnType::kBoolean> {
  using Type = bool;
};
template <>
struct CppType<ColumnType::kInteger> {
  using Type = int32_t;
};
template <>
struct CppType<ColumnType::kLong> {
  using Type = int64_t;
};
template <>
struct CppType<ColumnType::kDouble> {
  using Type = double;
};
template <>
struct CppType<ColumnType::kUuid> {
  using Type = Uuid;
};
}  // namespace internal

// Whether a value may stand in a column of the type; Absent may anywhere but in a key.
bool Fits(const Value& value, ColumnType type);

// A row of any table. Its values are as many as the table has columns.
struct Row {
  explicit Row(const Table& of) : table(&of), values(of.columns()) {}
  const Table* table;  // A constant of the program.
  std::vector<Value> values;

  bool operator==(const Row&) const = default;
  // kInvalid names a value that does not fit its column, a text that is not UTF-8, or a key that
  // is absent.
  Status Check() const;
  // The same without private columns.
  Row Public() const;
  // By the application's name, which must exist.
  Value& At(std::string_view pname);
  const Value& At(std::string_view pname) const;
};

// A pname as an argument of a template.
template <size_t kN>
struct Name {
  // NOLINTNEXTLINE(google-explicit-constructor): record.Get<"user">() must read as it should
  consteval Name(const char (&literal)[kN]) { std::copy_n(literal, kN, text); }
  char text[kN];
  constexpr std::string_view view() const { return {text, kN - 1}; }
};

// A row of one table whose columns are named at compile time: a wrong name, a wrong type or a
// private column does not compile. A value; not thread-safe.
template <const Table& kTable>
class Record {
  template <Name kName>
  static consteval size_t PlaceOf() {
    constexpr auto kPlace = kTable.Place(kName.view());
    static_assert(kPlace.has_value(), "the table has no column of this name");
    static_assert(!kTable.ColumnAt(*kPlace).is_private, "a private column is not an application's");
    return *kPlace;
  }

 public:
  template <Name kName>
  using TypeOf =
      typename internal::CppType<kTable.ColumnAt(*kTable.Place(kName.view())).type>::Type;

  Record() : row_(kTable) {}
  // What the row of this table shows an application.
  static Record Of(const Row& row) {
    SHEAF_CHECK(row.table == &kTable);
    Record record;
    record.row_ = row.Public();
    return record;
  }

  template <Name kName>
  Record& Set(TypeOf<kName> value) {
    row_.values[PlaceOf<kName>()] = std::move(value);
    return *this;
  }
  template <Name kName>
  Record& Clear() {
    row_.values[PlaceOf<kName>()] = Absent{};
    return *this;
  }
  // Null when absent.
  template <Name kName>
  const TypeOf<kName>* Find() const {
    return std::get_if<TypeOf<kName>>(&row_.values[PlaceOf<kName>()]);
  }
  // The type's empty value when absent.
  template <Name kName>
  TypeOf<kName> Get() const {
    const auto* found = Find<kName>();
    return found == nullptr ? TypeOf<kName>{} : *found;
  }

  const Row& row() const { return row_; }
  bool operator==(const Record&) const = default;

 private:
  Row row_;
};

}  // namespace sheaf::records
