// The nearest known word to one that is not known, for errors that name the way out.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sheaf::core {

// The candidate with the least edit distance (Levenshtein, 1966, with transpositions counted as
// one), empty when none is near enough to be meant (more than a third of the word away, at
// least 2). Looks at the first 64 bytes of each word.
std::string Nearest(std::string_view word, std::span<const std::string_view> candidates);

// "unknown <what> 'x'; did you mean 'y'?" or, with nothing near, "…; known: a, b, c".
std::string UnknownWord(std::string_view what, std::string_view word,
                        std::span<const std::string_view> candidates);

}  // namespace sheaf::core
