#include "sheaf/services/files/glob.h"

#include <cstddef>
#include <cstdint>

namespace sheaf::files {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
};

// One UTF-8 character; a byte that begins none stands for itself.
Character Decode(std::string_view text) {
  const auto byte = [&](size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned char first = byte(0);
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (bytes == 1 || bytes > text.size()) return {first, 1};
  uint32_t code = first & (0xffU >> (bytes + 1));
  for (size_t n = 1; n < bytes; ++n) {
    if ((byte(n) & 0xc0) != 0x80) return {first, 1};
    code = code << 6 | (byte(n) & 0x3fU);
  }
  return {code, bytes};
}

// Where the set that begins at pattern[0] == '[' ends (after its ']'), or 0 when it never does.
size_t SetEnd(std::string_view pattern) {
  size_t at = 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
  if (at < pattern.size() && pattern[at] == ']') ++at;
  while (at < pattern.size() && pattern[at] != ']') ++at;
  return at < pattern.size() ? at + 1 : 0;
}

bool InSet(std::string_view set, uint32_t code) {  // `set` without its brackets.
  bool negated = false;
  if (set.starts_with('!') || set.starts_with('^')) {
    negated = true;
    set.remove_prefix(1);
  }
  bool found = false;
  while (!set.empty()) {
    const Character low = Decode(set);
    set.remove_prefix(low.bytes);
    Character high = low;
    if (set.size() >= 2 && set[0] == '-') {
      high = Decode(set.substr(1));
      set.remove_prefix(1 + high.bytes);
    }
    found = found || (low.code <= code && code <= high.code);
  }
  return found != negated;
}

}  // namespace

bool HasMagic(std::string_view part) { return part.find_first_of("*?[") != part.npos; }

bool MatchPart(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = pattern.npos, star_name = 0;
  while (n < name.size()) {
    const std::string_view rest = pattern.substr(p);
    const Character here = Decode(name.substr(n));
    size_t p_step = 0, n_step = here.bytes;
    if (rest.starts_with('*')) {
      star = p++;
      star_name = n;
      continue;
    }
    if (rest.starts_with('?')) {
      p_step = 1;
    } else if (const size_t end = rest.starts_with('[') ? SetEnd(rest) : 0; end != 0) {
      if (InSet(rest.substr(1, end - 2), here.code)) p_step = end;
    } else if (!rest.empty() && rest[0] == name[n]) {
      p_step = n_step = 1;
    }
    if (p_step != 0) {
      p += p_step;
      n += n_step;
    } else if (star != pattern.npos) {  // Let the last star take one byte more.
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace sheaf::files
