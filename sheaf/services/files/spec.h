// The spec of the service `files`, typed: parsed once here, believed inside.
#pragma once

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::files {

enum class Format : uint8_t { kParquet, kCsv, kJson, kArrow, kOrc };
std::string_view FormatName(Format format);

// How a text file is packed, by its last suffix.
enum class Packing : uint8_t { kNone, kGzip, kZstd, kBzip2 };

// What a file's name says: "a.parquet", "a.tsv", "a.json.gz". Nothing when no suffix is known.
struct NameFacts {
  Format format = Format::kParquet;
  Packing packing = Packing::kNone;
  bool tabs = false;  // ".tsv": the delimiter is a tab unless the spec says otherwise.
};
std::optional<NameFacts> FactsOfName(std::string_view name);
Packing PackingOfName(std::string_view name);
// "parquet (.parquet, .parq, .pq), …" for errors.
std::string KnownSuffixes();

enum class Op : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
  kIsNull,
  kNotNull
};
std::string_view OpName(Op op);

// One line of the filter: all must hold.
struct Term {
  std::string column;
  Op op = Op::kEqual;
  Json value;         // Unset for kIsNull and kNotNull; a list for kIn and kNotIn.
  std::string where;  // "spec.filter[2]"
};

struct TextOptions {
  std::optional<char> delimiter;
  bool header = true;
  std::optional<std::vector<std::string>> null_values;
  std::map<std::string, std::shared_ptr<arrow::DataType>> types;  // By column.
  std::vector<std::string> given;                                 // The keys that were said.
};

struct Spec {
  std::vector<std::string> uris;     // At least one.
  std::optional<Format> format;      // By suffix when absent.
  std::vector<std::string> columns;  // Empty = all; no name twice.
  std::vector<Term> filter;
  TextOptions options;
};

inline constexpr size_t kUrisMax = 10'000;
inline constexpr size_t kTermsMax = 256;
inline constexpr size_t kListMax = 10'000;  // Values of one `in`.

// kInvalid says where; unknown keys are named.
Result<Spec> ParseSpec(const Json& spec);

// Options that mean nothing for `format` are refused (kInvalid), not ignored.
Status CheckOptions(const TextOptions& options, Format format);

// "int64", "timestamp[us, UTC]", "decimal(12, 2)", …; kInvalid lists what is known.
Result<std::shared_ptr<arrow::DataType>> ParseType(std::string_view text, std::string_view where);

}  // namespace sheaf::files
