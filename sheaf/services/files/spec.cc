#include "sheaf/services/files/spec.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "sheaf/services/files/errors.h"

namespace sheaf::files {
namespace {

struct Suffix {
  std::string_view text;
  Format format;
  bool tabs = false;
};
constexpr std::array kSuffixes = {
    Suffix{".parquet", Format::kParquet}, Suffix{".parq", Format::kParquet},
    Suffix{".pq", Format::kParquet},      Suffix{".csv", Format::kCsv},
    Suffix{".tsv", Format::kCsv, true},   Suffix{".json", Format::kJson},
    Suffix{".jsonl", Format::kJson},      Suffix{".ndjson", Format::kJson},
    Suffix{".arrow", Format::kArrow},     Suffix{".arrows", Format::kArrow},
    Suffix{".ipc", Format::kArrow},       Suffix{".feather", Format::kArrow},
    Suffix{".orc", Format::kOrc},
};
constexpr std::array kPackings = {
    std::pair{std::string_view(".gz"), Packing::kGzip},
    std::pair{std::string_view(".zst"), Packing::kZstd},
    std::pair{std::string_view(".bz2"), Packing::kBzip2},
};
constexpr std::array kFormats = {Format::kParquet, Format::kCsv, Format::kJson, Format::kArrow,
                                 Format::kOrc};
constexpr std::array<std::pair<std::string_view, Op>, 10> kOps = {{
    {"=", Op::kEqual},
    {"!=", Op::kNotEqual},
    {"<", Op::kLess},
    {"<=", Op::kLessEqual},
    {">", Op::kGreater},
    {">=", Op::kGreaterEqual},
    {"in", Op::kIn},
    {"not_in", Op::kNotIn},
    {"is_null", Op::kIsNull},
    {"not_null", Op::kNotNull},
}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return lower;
}

Result<Format> ParseFormat(const std::string& text) {
  for (const Format format : kFormats) {
    if (FormatName(format) == text) return format;
  }
  std::vector<std::string_view> names;
  for (const Format format : kFormats) names.push_back(FormatName(format));
  return BadSpec("spec.format", core::UnknownWord("format", text, names));
}

Result<Op> ParseOp(const std::string& text, const std::string& where) {
  for (const auto& [name, op] : kOps) {
    if (name == text) return op;
  }
  return BadSpec(where, "unknown operator '" + text.substr(0, 40) +
                            "'; known: = != < <= > >= in not_in is_null not_null");
}

Result<Term> ParseTerm(const Json& value, std::string where) {
  const bool shaped = value.is_array() && value.size() >= 2 && value.size() <= 3 &&
                      value[0].is_string() && value[1].is_string();
  if (!shaped) {
    return BadSpec(where, "must be [column, operator, value] or [column, \"is_null\"]");
  }
  Term term;
  term.column = value[0].get<std::string>();
  SHEAF_ASSIGN(term.op, ParseOp(value[1].get<std::string>(), where));
  const bool lonely = term.op == Op::kIsNull || term.op == Op::kNotNull;
  if (lonely != (value.size() == 2)) {
    return BadSpec(where, "'" + std::string(OpName(term.op)) +
                              (lonely ? "' takes no value" : "' needs a value"));
  }
  if (!lonely) term.value = value[2];
  const bool listed = term.op == Op::kIn || term.op == Op::kNotIn;
  if (listed && !term.value.is_array()) {
    return BadSpec(where, "'" + std::string(OpName(term.op)) + "' needs a list of values");
  }
  if (listed && term.value.size() > kListMax) {
    return BadSpec(where, "more than " + std::to_string(kListMax) + " values");
  }
  term.where = std::move(where);
  return term;
}

Status ParseUris(command::ObjectReader& read, Spec& spec) {
  const bool one = read.Has("uri");
  const bool many = read.Has("uris");
  if (one == many) {
    return BadSpec(read.where(), one ? "has both 'uri' and 'uris'; give one of them"
                                     : "needs 'uri' (one) or 'uris' (a list)");
  }
  if (one) {
    SHEAF_ASSIGN(auto uri, read.RequiredString("uri"));
    spec.uris.push_back(std::move(uri));
    return Done();
  }
  SHEAF_ASSIGN(spec.uris, read.Strings("uris"));
  if (spec.uris.empty()) return BadSpec("spec.uris", "is empty");
  if (spec.uris.size() > kUrisMax) {
    return BadSpec("spec.uris", "has more than " + std::to_string(kUrisMax) + " entries");
  }
  return Done();
}

Status ParseTypes(const Json& value, TextOptions& options) {
  if (!value.is_object()) {
    return BadSpec("spec.options.types", "must be an object of column names and types");
  }
  for (const auto& [column, type] : value.items()) {
    const std::string where = "spec.options.types." + column;
    if (!type.is_string()) return BadSpec(where, "must be the name of a type");
    SHEAF_ASSIGN(options.types[column], ParseType(type.get<std::string>(), where));
  }
  return Done();
}

Status ParseOptions(const Json& value, TextOptions& options) {
  command::ObjectReader read(value, "spec.options");
  if (value.is_object()) {
    for (const auto& item : value.items()) options.given.push_back(item.key());
  }
  if (read.Take("delimiter") != nullptr) {
    SHEAF_ASSIGN(const auto text, read.RequiredString("delimiter"));
    const bool fits = text.size() == 1 && text[0] != '"' && text[0] != '\n' && text[0] != '\r' &&
                      text[0] != '\0' && static_cast<unsigned char>(text[0]) < 0x80;
    if (!fits) {
      return read.Bad("delimiter", "one ASCII character, neither a quote nor a line break");
    }
    options.delimiter = text[0];
  }
  SHEAF_ASSIGN(options.header, read.Boolean("header", true));
  if (read.Take("null_values") != nullptr) {
    SHEAF_ASSIGN(options.null_values, read.Strings("null_values"));
  }
  if (const Json* types = read.Take("types")) SHEAF_TRY(ParseTypes(*types, options));
  return read.Finish();
}

}  // namespace

std::string_view FormatName(Format format) {
  switch (format) {
    case Format::kParquet: return "parquet";
    case Format::kCsv: return "csv";
    case Format::kJson: return "json";
    case Format::kArrow: return "arrow";
    case Format::kOrc: return "orc";
  }
  __builtin_unreachable();
}

std::string_view OpName(Op op) {
  for (const auto& [name, known] : kOps) {
    if (known == op) return name;
  }
  __builtin_unreachable();
}

Packing PackingOfName(std::string_view name) {
  const std::string lower = Lower(name);
  for (const auto& [suffix, packing] : kPackings) {
    if (lower.ends_with(suffix)) return packing;
  }
  return Packing::kNone;
}

std::optional<NameFacts> FactsOfName(std::string_view name) {
  std::string lower = Lower(name);
  const Packing packing = PackingOfName(lower);
  if (packing != Packing::kNone) lower.resize(lower.rfind('.'));
  for (const Suffix& suffix : kSuffixes) {
    if (!lower.ends_with(suffix.text) || lower.size() == suffix.text.size()) continue;
    const bool text = suffix.format == Format::kCsv || suffix.format == Format::kJson;
    if (packing != Packing::kNone && !text) return std::nullopt;
    return NameFacts{suffix.format, packing, suffix.tabs};
  }
  return std::nullopt;
}

std::string KnownSuffixes() {
  std::string text;
  for (const Suffix& suffix : kSuffixes)
    text += (text.empty() ? "" : " ") + std::string(suffix.text);
  return text + "; text also with .gz .zst .bz2";
}

Status CheckOptions(const TextOptions& options, Format format) {
  for (const std::string& key : options.given) {
    const bool meant = format == Format::kCsv || (format == Format::kJson && key == "types");
    if (meant) continue;
    return BadSpec("spec.options." + key,
                   "means nothing for the format " + std::string(FormatName(format)));
  }
  return Done();
}

Result<Spec> ParseSpec(const Json& value) {
  command::ObjectReader read(value, "spec");
  Spec spec;
  const Json* format = read.Take("format");
  const Json* options = read.Take("options");
  const Json* filter = read.Take("filter");
  SHEAF_ASSIGN(spec.columns, read.Strings("columns"));
  read.Take("uri");
  read.Take("uris");
  SHEAF_TRY(read.Finish());
  SHEAF_TRY(ParseUris(read, spec));
  if (format != nullptr) {
    if (!format->is_string()) return read.Bad("format", "a string");
    SHEAF_ASSIGN(spec.format, ParseFormat(format->get<std::string>()));
  }
  std::set<std::string_view> seen;
  for (const std::string& column : spec.columns) {
    if (!seen.insert(column).second) {
      return BadSpec("spec.columns", "names '" + column + "' twice");
    }
  }
  if (filter != nullptr) {
    if (!filter->is_array()) return read.Bad("filter", "a list of [column, operator, value]");
    if (filter->size() > kTermsMax) {
      return BadSpec("spec.filter", "has more than " + std::to_string(kTermsMax) + " terms");
    }
    for (size_t n = 0; n < filter->size(); ++n) {
      SHEAF_ASSIGN(auto term, ParseTerm((*filter)[n], "spec.filter[" + std::to_string(n) + "]"));
      spec.filter.push_back(std::move(term));
    }
  }
  if (options != nullptr) SHEAF_TRY(ParseOptions(*options, spec.options));
  if (spec.format.has_value()) SHEAF_TRY(CheckOptions(spec.options, *spec.format));
  return spec;
}

}  // namespace sheaf::files
