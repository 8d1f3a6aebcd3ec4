#include "sheaf/base/core/nearest.h"

#include <algorithm>
#include <array>

namespace sheaf::core {
namespace {

constexpr size_t kWordBytesMax = 64;

size_t Distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kWordBytesMax);
  b = b.substr(0, kWordBytesMax);
  using Row = std::array<size_t, kWordBytesMax + 1>;
  Row before{}, last{}, now{};
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before = last;
    last = now;
  }
  return last[b.size()];
}

}  // namespace

std::string Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const size_t far = std::max<size_t>(2, word.size() / 3);
  std::string_view best;
  size_t best_distance = far + 1;
  for (const auto candidate : candidates) {
    const size_t distance = Distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return std::string(best);
}

std::string UnknownWord(std::string_view what, std::string_view word,
                        std::span<const std::string_view> candidates) {
  std::string text = "unknown " + std::string(what) + " '" + std::string(word.substr(0, 80)) + "'";
  if (const std::string near = Nearest(word, candidates); !near.empty()) {
    return text + "; did you mean '" + near + "'?";
  }
  if (candidates.empty()) return text;
  text += "; known: ";
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0) text += ", ";
    text += candidates[i];
  }
  return text;
}

}  // namespace sheaf::core
