#include "sheaf/services/files/json_blocks.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "sheaf/services/files/errors.h"

namespace sheaf::files {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Distinct fields of objects, told apart by hashes of their whole paths.
class Fields {
 public:
  void Open(int depth) { base_[static_cast<size_t>(depth)] = here_; }
  void Element(int depth) { here_ = base_[static_cast<size_t>(depth)]; }
  void Key(int depth, std::string_view key) {
    here_ = Mix(base_[static_cast<size_t>(depth)], std::hash<std::string_view>()(key));
    if (seen_.size() <= kJsonColumnsMax) seen_.insert(here_);
  }
  void Reset() { here_ = 0; }
  size_t count() const { return seen_.size(); }

 private:
  static uint64_t Mix(uint64_t a, uint64_t b) {
    uint64_t mixed = (a ^ (b + 0x9e3779b97f4a7c15)) * 0xbf58476d1ce4e5b9;
    return mixed ^ (mixed >> 29);
  }
  std::array<uint64_t, kJsonDepthMax + 1> base_{};
  uint64_t here_ = 0;
  std::unordered_set<uint64_t> seen_;
};

// Strings, skipped whole: a brace in one is none.
size_t StringEnd(std::string_view text, size_t quote) {
  for (size_t n = quote + 1; n < text.size(); ++n) {
    if (text[n] == '\\') {
      ++n;
    } else if (text[n] == '"') {
      return n;
    }
  }
  return text.npos;
}

}  // namespace

int64_t JsonBlock::LineOf(int64_t row) const {
  const std::string_view all(*text);
  const size_t at =
      row >= 0 && static_cast<size_t>(row) < starts.size() ? starts[static_cast<size_t>(row)] : 0;
  return line + std::count(all.begin(), all.begin() + static_cast<ptrdiff_t>(at), '\n');
}

Error JsonBlocks::Bad(std::string_view text, size_t at, std::string_view what) const {
  const int64_t line =
      line_ + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
  return BadText(name_, "line " + std::to_string(line), what);
}

Result<JsonBlocks::Cut> JsonBlocks::Scan(std::string_view text) {
  Cut cut;
  Fields fields;
  int depth = 0;
  int64_t objects = 0;
  std::string_view last_string;
  for (size_t n = 0; n < text.size(); ++n) {
    const char c = text[n];
    if (depth == 0) {
      if (IsBlank(c)) continue;
      if (c == '[') return Bad(text, n, "an array; one object a line is read, without brackets");
      if (c != '{') return Bad(text, n, "no JSON object; one object a line is read");
      cut.starts.push_back(static_cast<uint32_t>(n));
      fields.Reset();
    }
    if (c == '"') {
      const size_t end = StringEnd(text, n);
      if (end == text.npos) break;
      last_string = text.substr(n + 1, end - n - 1);
      n = end;
    } else if (c == '{' || c == '[') {
      if (++depth > kJsonDepthMax) {
        return Bad(text, n, "nested deeper than " + std::to_string(kJsonDepthMax));
      }
      if (c == '{') ++objects;
      if (columns_ == 0) fields.Open(depth);
    } else if (c == ':' && columns_ == 0) {
      fields.Key(depth, last_string);
      if (fields.count() > kJsonColumnsMax) return TooMany("fields in JSON", kJsonColumnsMax);
    } else if (c == ',' && columns_ == 0) {
      fields.Element(depth);
    } else if ((c == '}' || c == ']') && --depth == 0) {
      const int64_t columns = columns_ > 0 ? columns_ : static_cast<int64_t>(fields.count());
      const bool much = objects * std::max<int64_t>(columns, 1) > kJsonCellsMax;
      if (much && cut.end > 0) {
        cut.full = true;
        cut.starts.pop_back();
        return cut;
      }
      if (much) return TooMany("cells in one JSON object", kJsonCellsMax);
      cut.end = n + 1;
    }
  }
  if (depth != 0) cut.starts.pop_back();  // Begun, not whole yet.
  return cut;
}

Result<JsonBlock> JsonBlocks::Next() {
  while (true) {
    if (!rest_is_whole_) {
      if (source_.ended() && rest_ == nullptr) return JsonBlock();
      const auto before = std::move(rest_);
      const auto kept = before == nullptr ? std::string_view() : std::string_view(*before);
      auto filled = source_.Fill(kept);
      if (!filled.ok()) return std::move(filled).error();
      rest_ = std::move(*filled);
    }
    const std::string_view text(*rest_);
    SHEAF_ASSIGN(Cut cut, Scan(text));
    rest_is_whole_ = cut.full;
    const bool last = source_.ended() && !cut.full;
    if (last) {
      const auto tail = text.substr(cut.end);
      const size_t more =
          static_cast<size_t>(std::find_if_not(tail.begin(), tail.end(), IsBlank) - tail.begin());
      if (more != tail.size()) return Bad(text, cut.end + more, "an object without its end");
    }
    if (cut.end == 0 && !last) continue;
    JsonBlock block;
    if (cut.end > 0) {
      block.text = arrow::SliceBuffer(rest_, 0, static_cast<int64_t>(cut.end));
      block.starts = std::move(cut.starts);
      block.line = line_;
      line_ += std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(cut.end), '\n');
    }
    rest_ = last ? nullptr : arrow::SliceBuffer(rest_, static_cast<int64_t>(cut.end));
    return block;
  }
}

}  // namespace sheaf::files
