// The meta-model: a table is data, checked by the compiler; everything else is computed from it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sheaf/base/core/sql.h"

namespace sheaf::records {

enum class ColumnType : uint8_t {
  kString,
  kBlob,
  kBoolean,
  kInteger,  // 32 bits
  kLong,     // 64 bits
  kDouble,
  kUuid,
};

struct Property {
  std::string_view pname;   // The name an application uses; any ASCII.
  std::string_view column;  // The name in the database; legal there.
  ColumnType type = ColumnType::kString;
  bool primary_key = false;  // Several make a compound key, in declared order.
  bool index = false;        // A secondary index.
  bool is_private = false;   // In the schema, never handed to an application.
  bool is_meta = false;      // Handed to the database package, never a column.

  // For descriptors that read as sentences: Column("user", kString).Key().
  constexpr Property Key() const { return With(&Property::primary_key); }
  constexpr Property Indexed() const { return With(&Property::index); }
  constexpr Property Private() const { return With(&Property::is_private); }
  constexpr Property Meta() const { return With(&Property::is_meta); }

 private:
  constexpr Property With(bool Property::*flag) const {
    Property same = *this;
    same.*flag = true;
    return same;
  }

 public:
  bool operator==(const Property&) const = default;
};

constexpr Property Column(std::string_view name, ColumnType type) { return {name, name, type}; }
constexpr Property Column(std::string_view pname, std::string_view column, ColumnType type) {
  return {pname, column, type};
}

// What is written down of a table. `kN` counts its elements, those that are no columns too.
template <size_t kN>
struct TableSpec {
  std::string_view name;
  std::string_view interface_name;  // Upstream's, by which its readers find it.
  std::string_view enum_name;
  std::string_view about;  // One sentence for its page of documentation.
  std::array<Property, kN> properties;
  std::string_view descending = {};  // The key's column by which CQL clusters, newest first.
  std::string_view cql_index = {};   // A column that only CQL indexes, under no name.
  std::string_view cql_column = {};  // A column that exists only in CQL: a named deviation.
};

// What the rest of the house sees of it. Borrowed from constants: lives as long as the program.
struct Table {
  std::string_view name, interface_name, enum_name, about;
  std::span<const Property> properties;
  std::string_view descending, cql_index, cql_column;

  // A column of SQL's tables and of rows.
  constexpr bool IsColumn(const Property& property) const {
    return !property.is_meta && property.column != cql_column;
  }
  constexpr size_t columns() const {
    return static_cast<size_t>(std::count_if(properties.begin(), properties.end(),
                                             [this](const auto& p) { return IsColumn(p); }));
  }
  // Place among the columns, by the application's name.
  constexpr std::optional<size_t> Place(std::string_view pname) const {
    size_t place = 0;
    for (const Property& property : properties) {
      if (!IsColumn(property)) continue;
      if (property.pname == pname) return place;
      ++place;
    }
    return std::nullopt;
  }
  constexpr const Property& ColumnAt(size_t place) const {
    for (const Property& property : properties) {
      if (IsColumn(property) && place-- == 0) return property;
    }
    __builtin_unreachable();
  }
};

enum class Flaw : uint8_t {
  kNone,
  kNoPrimaryKey,
  kDuplicatePname,
  kDuplicateColumn,
  kIllegalName,
  kKeyOrIndexOnBlob,
  kMetaIsKeyOrIndex,
};

namespace internal {
// Databases compare even quoted names without case.
constexpr bool SameName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}
constexpr bool IsAscii(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}
}  // namespace internal

constexpr Flaw FlawOf(std::string_view name, std::span<const Property> properties) {
  bool has_key = false;
  if (!core::IsSqlName(name)) return Flaw::kIllegalName;
  for (size_t i = 0; i < properties.size(); ++i) {
    const Property& one = properties[i];
    if (!core::IsSqlName(one.column) || !internal::IsAscii(one.pname)) return Flaw::kIllegalName;
    for (size_t j = 0; j < i; ++j) {
      if (properties[j].pname == one.pname) return Flaw::kDuplicatePname;
      if (internal::SameName(properties[j].column, one.column)) return Flaw::kDuplicateColumn;
    }
    if (one.is_meta && (one.primary_key || one.index)) return Flaw::kMetaIsKeyOrIndex;
    if (one.type == ColumnType::kBlob && (one.primary_key || one.index)) {
      return Flaw::kKeyOrIndexOnBlob;
    }
    has_key = has_key || one.primary_key;
  }
  return has_key ? Flaw::kNone : Flaw::kNoPrimaryKey;
}

// The table of a spec; a flawed one does not compile, and the message says what is wrong with it.
template <const auto& kSpec>
consteval Table Describe() {
  constexpr Flaw kFlaw = FlawOf(kSpec.name, kSpec.properties);
  static_assert(kFlaw != Flaw::kNoPrimaryKey, "a table has a primary key");
  static_assert(kFlaw != Flaw::kDuplicatePname, "a pname stands once");
  static_assert(kFlaw != Flaw::kDuplicateColumn, "a column stands once, whatever its case");
  static_assert(kFlaw != Flaw::kIllegalName, "names of tables and columns are legal identifiers");
  static_assert(kFlaw != Flaw::kKeyOrIndexOnBlob, "a blob is neither key nor index");
  static_assert(kFlaw != Flaw::kMetaIsKeyOrIndex, "a meta element is neither key nor index");
  return {kSpec.name,       kSpec.interface_name, kSpec.enum_name, kSpec.about,
          kSpec.properties, kSpec.descending,     kSpec.cql_index, kSpec.cql_column};
}

}  // namespace sheaf::records
