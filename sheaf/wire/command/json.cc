#include "sheaf/wire/command/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "sheaf/base/core/check.h"
#include "sheaf/base/core/nearest.h"

namespace sheaf::command {
namespace {

constexpr size_t kNameBytesShown = 72;

// The start of a text for an error message, cut at a character.
std::string Shown(std::string_view text) {
  if (text.size() <= kNameBytesShown) return std::string(text);
  size_t end = kNameBytesShown;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

// Walks the text and leaves a mark of how far the parser has read.
struct Cursor {
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** mark = nullptr;  // Borrowed from the parser's frame.

  reference operator*() const { return *at; }
  Cursor& operator++() {
    *mark = ++at;
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Cursor& other) const { return at == other.at; }
};

// Builds the value and holds the limits. Every event returns false to stop; `error` says why.
class Builder {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  Builder(const char* begin, const char* const& mark, const JsonLimits& limits)
      : begin_(begin), mark_(mark), limits_(limits) {}

  bool null() { return Put(nullptr) != nullptr; }
  bool boolean(bool value) { return Put(value) != nullptr; }
  bool number_integer(number_integer_t value) { return Put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) { return Put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t& text) {
    if (text.find_first_of(".eE") == string_t::npos) {
      return Stop("integer " + Shown(text) + " does not fit 64 bits");
    }
    if (!std::isfinite(value)) return Stop("number " + Shown(text) + " is out of range");
    return Put(value) != nullptr;
  }
  bool string(string_t& value) { return Put(std::move(value)) != nullptr; }
  bool binary(binary_t&) { return Stop("binary values are not JSON"); }

  bool start_object(size_t) { return Open(Json::object()); }
  bool start_array(size_t) { return Open(Json::array()); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(string_t& name) {
    auto [at, fresh] = open_.back()->get_ref<Json::object_t&>().try_emplace(name, nullptr);
    if (!fresh) return Stop("duplicate key '" + Shown(name) + "'");
    slot_ = &at->second;
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& ex) {
    // "[json.exception…] parse error at line 1, column 5: syntax error … - why; last read: '…'"
    std::string_view text = ex.what();
    if (const size_t at = text.find("; last read:"); at != text.npos) text = text.substr(0, at);
    if (const size_t at = text.find("; expected"); at != text.npos) text = text.substr(0, at);
    if (const size_t at = text.find(" - "); at != text.npos) text = text.substr(at + 3);
    if (const size_t at = text.find("] "); text.starts_with("[") && at != text.npos) {
      text = text.substr(at + 2);
    }
    if (text.starts_with("number overflow")) text = "a number is out of range";
    return Stop("malformed JSON: " + Shown(text));
  }

  Json TakeRoot() { return std::move(root_); }
  Error TakeError() { return std::move(*error_); }

 private:
  bool Stop(const std::string& why) {
    if (error_) return false;
    error_ = Fail(Kind::kInvalid, why + " at byte " + std::to_string(mark_ - begin_));
    return false;
  }

  Json* Put(Json&& value) {
    if (++values_ > limits_.values_max) {
      Stop("more than " + std::to_string(limits_.values_max) + " values");
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& list = open_.back()->get_ref<Json::array_t&>();
      list.push_back(std::move(value));
      return &list.back();
    }
    *slot_ = std::move(value);
    return slot_;
  }
  bool Open(Json&& value) {
    if (open_.size() == limits_.depth_max) {
      return Stop("nested deeper than " + std::to_string(limits_.depth_max));
    }
    Json* put = Put(std::move(value));
    if (put == nullptr) return false;
    open_.push_back(put);
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  const char* const begin_;
  const char* const& mark_;
  const JsonLimits& limits_;
  size_t values_ = 0;
  Json root_;
  // Containers that are open; an outer one does not grow while an inner one is open.
  std::vector<Json*> open_;
  Json* slot_ = nullptr;  // Where the value of the last key goes.
  std::optional<Error> error_;
};

// The order of UTF-16 code units, on UTF-8: as bytes, except that characters beyond the basic
// plane (surrogates, D800…DFFF) come before U+E000…U+FFFF.
bool LessUtf16(const std::string& a, const std::string& b) {
  const size_t both = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < both && a[i] == b[i]) ++i;
  if (i == both) return a.size() < b.size();
  const auto x = static_cast<uint8_t>(a[i]), y = static_cast<uint8_t>(b[i]);
  const bool far_x = x >= 0xF0, far_y = y >= 0xF0;
  if (far_x != far_y) {
    if (far_x && y >= 0xEE) return true;
    if (far_y && x >= 0xEE) return false;
  }
  return x < y;
}

void AppendQuoted(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          out += "\\u00";
          out += kHex[static_cast<uint8_t>(c) >> 4];
          out += kHex[static_cast<uint8_t>(c) & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

template <typename Number>
void AppendNumber(std::string& out, Number value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void AppendDouble(std::string& out, double value) {
  if (!std::isfinite(value)) {  // Cannot be parsed; only code of ours could have made it.
    out += "null";
    return;
  }
  const size_t start = out.size();
  AppendNumber(out, value);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

void Append(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: out += "null"; return;
    case Json::value_t::boolean: out += value.get<bool>() ? "true" : "false"; return;
    case Json::value_t::number_integer: return AppendNumber(out, value.get<int64_t>());
    case Json::value_t::number_unsigned: return AppendNumber(out, value.get<uint64_t>());
    case Json::value_t::number_float: return AppendDouble(out, value.get<double>());
    case Json::value_t::string: return AppendQuoted(out, value.get_ref<const std::string&>());
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const Json& item : value) {
        if (!first) out += ',';
        first = false;
        Append(out, item);
      }
      out += ']';
      return;
    }
    case Json::value_t::object: {
      const auto& object = value.get_ref<const Json::object_t&>();
      std::vector<const Json::object_t::value_type*> sorted;
      sorted.reserve(object.size());
      for (const auto& entry : object) sorted.push_back(&entry);
      std::sort(sorted.begin(), sorted.end(),
                [](const auto* a, const auto* b) { return LessUtf16(a->first, b->first); });
      out += '{';
      bool first = true;
      for (const auto* entry : sorted) {
        if (!first) out += ',';
        first = false;
        AppendQuoted(out, entry->first);
        out += ':';
        Append(out, entry->second);
      }
      out += '}';
      return;
    }
    case Json::value_t::binary:
    case Json::value_t::discarded: break;
  }
  SHEAF_CHECK(!"a JSON value that is neither text nor number, list nor object");
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  const auto invalid = [](const std::string& why) { return Fail(Kind::kInvalid, why); };
  if (text.size() > limits.bytes_max) {
    return invalid("JSON of " + std::to_string(text.size()) + " bytes, the limit is " +
                   std::to_string(limits.bytes_max));
  }
  // The library takes NUL for the end, skips a byte order mark, and reads garbage behind neither.
  if (const size_t at = text.find('\0'); at != text.npos) {
    return invalid("malformed JSON: NUL at byte " + std::to_string(at));
  }
  if (text.starts_with("\xEF\xBB\xBF")) return invalid("malformed JSON: byte order mark at byte 0");
  const char* mark = text.data();
  Builder builder(text.data(), mark, limits);
  const Cursor first{text.data(), &mark}, last{text.data() + text.size(), &mark};
  if (!Json::sax_parse(first, last, &builder)) return builder.TakeError();
  return builder.TakeRoot();
}

std::string Canonical(const Json& value) {
  std::string out;
  Append(out, value);
  return out;
}

namespace {
const Json kEmptyObject = Json::object();
}  // namespace

ObjectReader::ObjectReader(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {}

const Json* ObjectReader::Take(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.push_back(key);
  if (!object_.is_object()) return nullptr;
  const auto at = object_.find(key);
  return at == object_.end() ? nullptr : &*at;
}

bool ObjectReader::Has(std::string_view key) const {
  return object_.is_object() && object_.contains(key);
}

Error ObjectReader::Bad(std::string_view key, std::string_view expected) const {
  std::string text = where_;
  if (!text.empty() && !key.empty()) text += '.';
  text += Shown(key);
  if (!text.empty()) text += ": ";
  text += "expected ";
  text += expected;
  const Json* found = &object_;
  if (!key.empty()) {
    const auto& object = object_.is_object() ? object_ : kEmptyObject;
    const auto at = object.find(key);
    if (at == object.end()) return Fail(Kind::kInvalid, text + ", it is missing");
    found = &*at;
  }
  text += ", found ";
  text += found->type_name();
  if (found->is_number()) text += " " + Canonical(*found);
  if (found->is_string()) text += " '" + Shown(found->get_ref<const std::string&>()) + "'";
  return Fail(Kind::kInvalid, text);
}

Result<std::string> ObjectReader::RequiredString(std::string_view key) {
  const Json* value = Take(key);
  if (!object_.is_object()) return Bad("", "an object");
  if (value == nullptr || !value->is_string()) return Bad(key, "a string");
  return value->get<std::string>();
}

Result<std::string> ObjectReader::String(std::string_view key, std::string fallback) {
  const Json* value = Take(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) return Bad(key, "a string");
  return value->get<std::string>();
}

Result<int64_t> ObjectReader::Integer(std::string_view key, int64_t fallback, int64_t min,
                                      int64_t max) {
  const Json* value = Take(key);
  if (value == nullptr) return fallback;
  const auto bad = [&] {
    std::string range = "an integer from " + std::to_string(min);
    if (max == INT64_MAX) return Bad(key, range + " up");
    return Bad(key, range + " to " + std::to_string(max));
  };
  if (!value->is_number_integer()) return bad();
  if (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t{INT64_MAX}) return bad();
  const auto number = value->get<int64_t>();
  if (number < min || number > max) return bad();
  return number;
}

Result<bool> ObjectReader::Boolean(std::string_view key, bool fallback) {
  const Json* value = Take(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return Bad(key, "true or false");
  return value->get<bool>();
}

Result<std::vector<std::string>> ObjectReader::Strings(std::string_view key) {
  const Json* value = Take(key);
  std::vector<std::string> list;
  if (value == nullptr) return list;
  if (!value->is_array()) return Bad(key, "a list of strings");
  for (const Json& item : *value) {
    if (!item.is_string()) return Bad(key, "a list of strings only");
    list.push_back(item.get<std::string>());
  }
  return list;
}

Status ObjectReader::Known(std::initializer_list<std::string_view> keys) {
  asked_.insert(asked_.end(), keys.begin(), keys.end());
  return Finish();
}

Status ObjectReader::Finish() {
  if (!object_.is_object()) return Bad("", "an object");
  for (const auto& [key, value] : object_.items()) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
    const std::string text = core::UnknownWord("key", Shown(key), asked_);
    return Fail(Kind::kInvalid, where_.empty() ? text : where_ + ": " + text);
  }
  return Done();
}

}  // namespace sheaf::command
